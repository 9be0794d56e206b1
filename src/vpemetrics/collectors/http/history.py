"""Commits of a forge, read by ranges of git: what a branch has, and what was known lacks.

Dates do not tell what is new there, as commits may be pushed long after they were made.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from pydantic import TypeAdapter, ValidationError

from vpemetrics.agents import author_settings
from vpemetrics.collectors.base import Batch, CollectionContext
from vpemetrics.collectors.http.client import HttpClient
from vpemetrics.collectors.http.errors import Gone
from vpemetrics.collectors.http.feeds import FIRST, FeedPage, feed_page, noted_again
from vpemetrics.collectors.http.messages import Node, Request
from vpemetrics.collectors.http.paging import FULL, Page, PageNumber
from vpemetrics.collectors.http.shapes import check_record, name_of, read_items
from vpemetrics.fingerprint import fingerprint
from vpemetrics.records import Commit, Coverage, CoverageKind
from vpemetrics.window import format_instant

BEFORE: Final = timedelta(days=30)
"""The time before what is wanted whose commits are read too: changes begin before they end."""


@dataclass(frozen=True, kw_only=True)
class RangeProgress:
    """All that `tip` has since `begin` was read; of what `head` has beyond it, until `page`.

    `again` are pages on which a commit could not be read. `authors` changes with what decides on
    the kinds of authors.
    """

    begin: datetime
    authors: str = ""
    tip: str | None = None
    head: str | None = None
    page: int = 1
    again: tuple[FeedPage, ...] = ()

    def with_again(self, page: FeedPage) -> "RangeProgress":
        """Note that a page is to be asked for again, next time; the latest few count."""
        return replace(self, again=noted_again(self.again, page))


@dataclass(frozen=True, kw_only=True)
class CommitHistory:
    """The commits of a repository, whose name is `scope`, in lists with numbered pages.

    What a list at `path` is of is a parameter, `revisions`: a commit with all that it has, or a
    range as git writes it, `TIP..HEAD`.
    """

    scope: str
    path: str
    parse: Callable[[Node], Commit]
    revisions: str = "ref_name"
    size: int = FULL

    def request(self, revisions: str, since: datetime | None = None) -> Request:
        """The request for the first page of a list, of what was committed since a moment."""
        parameters = {
            self.revisions: revisions,
            "since": since and format_instant(since),
            "per_page": self.size,
        }
        return Request(address=self.path, parameters=parameters)


_PROGRESS: Final = TypeAdapter(RangeProgress)
_PAGING: Final = PageNumber()


def collect_history(
    client: HttpClient,
    history: CommitHistory,
    context: CollectionContext,
    *,
    head: str,
    since: datetime | None = None,
) -> Iterator[Batch]:
    """Return the commits of a branch, whose last one is `head`, that are not known yet.

    In a first collection those since a moment, and some that are older.
    """
    cursor = f"{history.scope} commits"
    progress = _parse(context.cursors.get(cursor, ""))
    begin = since or (progress.begin if progress else context.now - FIRST)
    authors = fingerprint(author_settings(context.rules))
    if progress is None or begin < progress.begin or authors != progress.authors:
        progress = RangeProgress(begin=begin, authors=authors)
    reader = _CommitReader(client, history, context)
    for left in progress.again:
        progress = replace(progress, again=progress.again[1:])
        commits, has_bad = reader.read_again(left)
        progress = progress.with_again(left) if has_bad else progress
        yield Batch(records=commits, cursors={cursor: _format(progress)})
    while progress.head or progress.tip != head:
        progress = replace(progress, head=progress.head or head)
        wanted = _request(history, progress)
        numbered = {**wanted.parameters, "page": progress.page}
        count = 0
        try:
            for page in client.read_pages(replace(wanted, parameters=numbered), paging=_PAGING):
                count += len(page.items)
                progress = replace(progress, page=progress.page + 1)
                commits, has_bad = reader.read(page)
                if has_bad:
                    progress = progress.with_again(feed_page(page.request, client))
                yield Batch(records=commits, cursors={cursor: _format(progress)})
        except Gone:
            if progress.tip is None and progress.head == head:
                raise
            progress = replace(progress, tip=None, head=None, page=1)
            continue
        if progress.tip and not count and progress.page <= 2:
            # The branch was set back, or its tip is there no more: what is known is not certain.
            progress = replace(progress, tip=None, head=None, page=1)
        else:
            progress = replace(progress, tip=progress.head, head=None, page=1)
    covered = Coverage(
        source=context.source,
        scope=history.scope,
        kind=CoverageKind.COMMITS,
        start=progress.begin,
        end=context.now,
    )
    yield Batch(records=[covered], cursors={cursor: _format(progress)})


@dataclass(frozen=True)
class _CommitReader:
    """Reads the commits of pages, and leaves out what of them cannot be read."""

    client: HttpClient
    history: CommitHistory
    context: CollectionContext

    def read(self, page: Page) -> tuple[list[Commit], bool]:
        """Return the commits of a page, and True if some were left out."""
        return read_items(
            page.items,
            self._parse,
            server=self.client.server,
            name=lambda node: name_of(node, "a commit", self.history.scope),
            leave_out=self.context.leave_out,
        )

    def read_again(self, page: FeedPage) -> tuple[list[Commit], bool]:
        """Return the commits of a page that was read before, as far as it is there."""
        request = Request(address=page.address, parameters=page.parameters)
        try:
            return self.read(next(self.client.read_pages(request, paging=_PAGING)))
        except Gone:  # the branch was set back, and its commits are gone
            return [], False

    def _parse(self, node: Node) -> list[Commit]:
        commit = self.history.parse(node)
        check_record(commit)
        return [commit]


def read_range(client: HttpClient, history: CommitHistory, head: str, tip: str) -> Iterator[Commit]:
    """Return the commits that `head` has and `tip` lacks; none where either is there no more."""
    try:
        for page in client.read_pages(history.request(f"{tip}..{head}"), paging=_PAGING):
            yield from map(history.parse, page.items)
    except Gone:
        return


def _request(history: CommitHistory, progress: RangeProgress) -> Request:
    if progress.tip:
        return history.request(f"{progress.tip}..{progress.head}")
    return history.request(str(progress.head), progress.begin - BEFORE)


def _parse(text: str) -> RangeProgress | None:
    try:
        return _PROGRESS.validate_json(text)
    except ValidationError:
        return None


def _format(progress: RangeProgress) -> str:
    return _PROGRESS.dump_json(progress, exclude_defaults=True).decode()
