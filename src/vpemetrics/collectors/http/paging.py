"""Lists over several pages: how the next page is asked for, and that none comes twice.

A `Paging` makes of a page the request for the following one, or None at the end:

- `follow_link`   the Link header, as GitHub and GitLab have it
- `Offset`        so many items are skipped, as at PagerDuty
- `PageNumber`    pages by number, where nothing tells which is the last
- `NextCursor`    a word in the body stands for the next page, as at Slack
- `NextURL`       the next page's URL is in the body, as at Bitbucket
- `Keyset`        the next page is what comes after the last item, as at Stripe
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from vpemetrics.collectors.http.errors import BadAnswer, SourceProblem
from vpemetrics.collectors.http.messages import Node, Request, Response
from vpemetrics.collectors.http.shapes import as_object, read_shape

FULL: Final = 100
"""The most items of a page that most servers give."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """The items of one page, and how it was asked for."""

    request: Request
    response: Response
    items: Sequence[Node]

    def at(self, path: str) -> Any:
        """Return what the body has at a path as `meta.next`; None if there is no such thing."""
        found = self.response.json
        for part in path.split("."):
            found = found.get(part) if isinstance(found, dict) else None
        return found

    def with_parameters(self, **parameters: Any) -> Request:
        """Return the page's request with other values for some parameters."""
        return replace(self.request, parameters={**self.request.parameters, **parameters})


Paging = Callable[[Page], Request | None]
"""From a page to the request for the following one; None at the end."""


def follow_link(page: Page) -> Request | None:
    """Follow the `next` of the Link header, as it is.

    https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api and
    https://docs.gitlab.com/api/rest/#pagination-link-header
    """
    url = page.response.link("next")
    return replace(page.request, address=url, parameters={}) if url else None


@dataclass(frozen=True, kw_only=True)
class Offset:
    """So many items are skipped; `more` is where the body says whether others follow.

    https://developer.pagerduty.com/docs/pagination
    """

    parameter: str = "offset"
    more: str = "more"

    def __call__(self, page: Page) -> Request | None:
        """Ask for what follows the items that came, if the server has more."""
        if not page.at(self.more) or not page.items:
            return None
        skipped = int(page.request.parameters.get(self.parameter) or 0)
        return page.with_parameters(**{self.parameter: skipped + len(page.items)})


@dataclass(frozen=True, kw_only=True)
class PageNumber:
    """Pages are numbered from `first` on; one that is not full, by `size`, is the last."""

    parameter: str = "page"
    size: str = "per_page"
    first: int = 1

    def __call__(self, page: Page) -> Request | None:
        """Ask for the next number, if this page is full."""
        if not page.items or len(page.items) < int(page.request.parameters.get(self.size) or 1):
            return None
        number = int(page.request.parameters.get(self.parameter) or self.first)
        return page.with_parameters(**{self.parameter: number + 1})


@dataclass(frozen=True, kw_only=True)
class NextCursor:
    """The body has at `path` what the next page is asked for with; nothing at the end.

    https://docs.slack.dev/apis/web-api/pagination
    """

    path: str
    parameter: str = "cursor"

    def __call__(self, page: Page) -> Request | None:
        """Ask with the cursor, if there is one."""
        cursor = page.at(self.path)
        return page.with_parameters(**{self.parameter: cursor}) if cursor else None


@dataclass(frozen=True, kw_only=True)
class NextURL:
    """The body has at `path` the URL of the next page; nothing at the end.

    https://developer.atlassian.com/cloud/bitbucket/rest/intro/#pagination
    """

    path: str = "next"

    def __call__(self, page: Page) -> Request | None:
        """Ask at the URL, if there is one."""
        url = page.at(self.path)
        if not url:
            return None
        return replace(page.request, address=page.response.follow(str(url)), parameters={})


@dataclass(frozen=True, kw_only=True)
class Keyset:
    """The next page is what comes after the `key` of the last item; an empty one ends it.

    https://docs.stripe.com/api/pagination
    """

    parameter: str
    key: str = "id"

    def __call__(self, page: Page) -> Request | None:
        """Ask for what comes after the last item."""
        if not page.items:
            return None
        last = as_object(page.items[-1], "its last item")
        return page.with_parameters(**{self.parameter: last.get(self.key)})


def read_pages(
    ask: Callable[[Request], Response],
    request: Request,
    paging: Paging = follow_link,
    key: str | None = None,
) -> Iterator[Page]:
    """Ask for page after page; `key` is where the list is in bodies that are objects.

    SourceProblem if a list leads back to a page that was asked for, if a page comes again
    under another name, or if there is no list.
    """
    asked: set[tuple[str, str]] = set()
    before: Sequence[Node] = ()
    following: Request | None = request
    while following is not None:
        request = following
        mark = (request.address, request.query)
        if mark in asked:
            raise _loop(request)
        asked.add(mark)
        response = ask(request)
        items = _items(response, request, key)
        if items and items == before:
            raise _loop(request)
        before = items
        page = Page(request=request, response=response, items=items)
        following = _following(paging, page)
        yield page


def _following(paging: Paging, page: Page) -> Request | None:
    request = page.request
    about = f"the page after {request.address.split('?')[0]}"
    return read_shape(lambda: paging(page), server=request.server, about=about)


def _loop(request: Request) -> SourceProblem:
    return SourceProblem(
        f"{request.name}: {request.server} gives the same page again and again; try again later"
    )


def _items(response: Response, request: Request, key: str | None) -> Sequence[Node]:
    body = response.json
    found = body if key is None else body.get(key) if isinstance(body, dict) else body
    if found is None and isinstance(body, dict):
        return []
    if not isinstance(found, list):
        wanted = "a list" if key is None else f"a list in {key!r}"
        raise BadAnswer(f"{request.name}: {request.server} gave something else than {wanted}")
    return found
