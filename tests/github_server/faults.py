"""Things that go wrong at GitHub, to be played on demand.

A fault stands between a request and the honest answer to it: it may answer in its place, change
what is answered, or do something before or after. `Faults` says which requests meet which.
"""

import json
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial as bound
from threading import Lock
from typing import Any, Final

from github_server.answer import Answer, Request, problem
from github_server.execution import Invalid, read_query
from github_server.limits import exceeded
from github_server.points import price
from vpemetrics.demo.dice import Dice

Reply = Callable[[], Answer]
Fault = Callable[[Request, Reply], Answer]

MINUTE: Final = timedelta(minutes=1)
SECONDARY: Final = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
)
SAML: Final = (
    "Resource protected by organization SAML enforcement. You must grant your Personal Access"
    " token access to this organization."
)
GATEWAY_PAGE: Final = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    "<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>"
)


@dataclass(frozen=True, kw_only=True)
class Faults:
    """The requests that meet a fault, and which.

    `planned` gives the faults of the k-th requests, counted from 1; `always` are met by every
    request; one of `kinds` is met with the probability `chance`, the same for the same seed and
    number of the request. `skew` is how far GitHub's clock is ahead of ours.
    """

    planned: Mapping[int, Fault] = field(default_factory=dict)
    always: tuple[Fault, ...] = ()
    kinds: tuple[Fault, ...] = ()
    chance: float = 0.0
    seed: int = 0
    skew: timedelta = timedelta()

    def answer(self, request: Request, reply: Reply) -> Answer:
        """The honest answer after everything that comes between."""
        for fault in self._met_by(request):
            reply = bound(fault, request, reply)
        return reply()

    def _met_by(self, request: Request) -> Iterator[Fault]:
        if request.number in self.planned:
            yield self.planned[request.number]
        drawn = Dice(f"{self.seed}:{request.number}")
        if self.kinds and drawn.chance(self.chance):
            yield drawn.choice(self.kinds)
        yield from self.always


def only(fault: Fault, *, path: str) -> Fault:
    """The fault for requests whose path has this in it; "/graphql" is GraphQL's path."""

    def play(request: Request, reply: Reply) -> Answer:
        return fault(request, reply) if path in request.path else reply()

    return play


def primary_limit(*, wait: int = 60, kind: str = "RATE_LIMIT") -> Fault:
    """The hour's limit is used up and resets in so many seconds."""

    def play(request: Request, _reply: Reply) -> Answer:
        reset = int(request.at.timestamp()) + wait
        headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(reset)}
        return exceeded(request, headers, kind)

    return play


def secondary_limit(*, retry_after: int | None = 60, status: int = 403) -> Fault:
    """Too much at once; `status` is 403, 429, or for GraphQL 200. None: it says not how long."""

    def play(request: Request, _reply: Reply) -> Answer:
        headers = {} if retry_after is None else {"retry-after": str(retry_after)}
        if status == 200 and request.is_graphql:
            return Answer(headers=headers, body={"errors": [{"message": SECONDARY}]})
        return problem(status if status != 200 else 403, SECONDARY, **headers)

    return play


class Crowded:
    """The secondary limits that GitHub publishes, counted for each token; for `always`.

    So many REST requests and so many GraphQL queries within a minute, and so many of both at
    once: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api.
    REST's is for each endpoint there and for all together here. `most_at_once` is what was seen.
    """

    def __init__(
        self, *, requests: int = 900, queries: int = 2_000, at_once: int = 100, wait: int = 60
    ) -> None:
        self.most_at_once = 0
        self._a_minute = {False: requests, True: queries}
        self._at_once = at_once
        self._refuse = secondary_limit(retry_after=wait)
        self._lock = Lock()
        self._under_way: Counter[str] = Counter()
        self._lately: dict[tuple[str, bool], deque[datetime]] = defaultdict(deque)

    def __call__(self, request: Request, reply: Reply) -> Answer:
        """The honest answer, or that it was too much."""
        token = request.headers.get("authorization", "")
        with self._lock:
            self._under_way[token] += 1
            self.most_at_once = max(self.most_at_once, self._under_way[token])
            fits = self._fits(token, request)
        try:
            return reply() if fits else self._refuse(request, reply)
        finally:
            with self._lock:
                self._under_way[token] -= 1

    def _fits(self, token: str, request: Request) -> bool:
        lately = self._lately[token, request.is_graphql]
        lately.append(request.at)
        while lately[0] <= request.at - MINUTE:
            lately.popleft()
        enough = self._a_minute[request.is_graphql]
        return len(lately) <= enough and self._under_way[token] <= self._at_once


def bad_gateway(*, status: int = 502, page: bool = False) -> Fault:
    """GitHub took longer than its ten seconds; a page of the gateway says so, or JSON."""

    def play(request: Request, _reply: Reply) -> Answer:
        if page:
            return Answer(status=status, headers={"content-type": "text/html"}, body=GATEWAY_PAGE)
        if request.is_graphql:
            return replace(went_wrong(request, _reply), status=status)
        return Answer(status=status, body={"message": "Server Error"})

    return play


def went_wrong(request: Request, _reply: Reply) -> Answer:
    """Something went wrong, with status 200 where it is GraphQL."""
    if not request.is_graphql:
        return Answer(status=500, body={"message": "Server Error"})
    message = (
        "Something went wrong while executing your query. This may be the result of a timeout, or"
        f" it could be a GitHub bug. Please include `{request.id}` when reporting this issue."
    )
    return Answer(body={"data": None, "errors": [{"message": message}]})


def heavy(*, nodes: int) -> Fault:
    """GraphQL queries that ask for more nodes than this take too long; for `always`."""

    def play(request: Request, reply: Reply) -> Answer:
        return bad_gateway()(request, reply) if _nodes(request) > nodes else reply()

    return play


def _nodes(request: Request) -> int:
    if not request.is_graphql or not isinstance(request.body, dict):
        return 0
    try:
        return price(read_query(request.body["query"], request.body.get("variables"))).nodes
    except Invalid:
        return 0


def changed(change: Callable[[Request, Any], Any], **headers: str) -> Fault:
    """The body is another one, which `change` makes of a copy; headers are added."""

    def play(request: Request, reply: Reply) -> Answer:
        answer = reply()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        body = change(request, deepcopy(answer.body))
        return replace(answer, body=body, headers={**answer.headers, **named})

    return play


def status(number: int, body: Any = None) -> Fault:
    """Nothing but a status is answered, and perhaps a body."""
    return lambda _request, _reply: Answer(status=number, body=body)


def cut(*, after: int = 0) -> Fault:
    """The connection ends after so many bytes of the answer."""
    return lambda _request, reply: replace(reply(), cut_after=after)


def slow(*, seconds: float) -> Fault:
    """The answer takes so long."""

    def play(_request: Request, reply: Reply) -> Answer:
        time.sleep(seconds)
        return reply()

    return play


def partial(
    *,
    kind: str | None = "RESOURCE_LIMITS_EXCEEDED",
    message: str = "Resource limits for this query exceeded.",
    nested: bool = False,
) -> Fault:
    """One item of a GraphQL list is null, with an error; answers without a list stay whole.

    `nested` takes it from the lists within the items of others.
    """

    def play(request: Request, reply: Reply) -> Answer:
        answer = reply()
        found = list(_items(answer.body.get("data"))) if request.is_graphql else []
        outermost = min((len(path) for path in found), default=0)
        places = [path for path in found if (len(path) > outermost) is nested]
        if not places:
            return answer
        path = Dice(request.number).choice(places)
        body = deepcopy(answer.body)
        holder = body["data"]
        for step in path[:-1]:
            holder = holder[step]
        holder[path[-1]] = None
        typed = {"type": kind} if kind else {}
        error = {**typed, "path": list(path), "message": message}
        body["errors"] = [*body.get("errors", []), error]
        return replace(answer, body=body)

    return play


def _items(data: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The paths of all objects in lists, those within others too."""
    steps: Iterable[tuple[str | int, Any]] = ()
    if isinstance(data, dict):
        steps = data.items()
    elif isinstance(data, list):
        steps = enumerate(data)
    for step, value in steps:
        if isinstance(data, list) and isinstance(value, dict):
            yield (*path, step)
        yield from _items(value, (*path, step))


def bad_credentials(_request: Request, _reply: Reply) -> Answer:
    """The token is not taken (any more)."""
    return problem(401, "Bad credentials")


def not_found(request: Request, reply: Reply) -> Answer:
    """The thing asked for is not there, or not to be seen."""
    if not request.is_graphql:
        return problem(404, "Not Found")
    return _denied(reply(), "NOT_FOUND", "Could not resolve to a node.")


def saml(*, organization: str) -> Fault:
    """The organisation wants the token authorized for its single sign-on."""
    url = f"https://github.com/orgs/{organization}/sso?authorization_request=5A17"
    headers = {"x-github-sso": f"required; url={url}"}

    def play(request: Request, reply: Reply) -> Answer:
        if not request.is_graphql:
            return problem(403, SAML, **headers)
        denied = _denied(reply(), "FORBIDDEN", SAML, extensions={"saml_failure": True})
        return replace(denied, headers={**denied.headers, **headers})

    return play


def _denied(answer: Answer, kind: str, message: str, **more: Any) -> Answer:
    """A GraphQL answer without anything but the state of the limit."""
    data = answer.body.get("data") or {}
    nothing = {key: value if key == "rateLimit" else None for key, value in data.items()}
    errors = [
        {"type": kind, "path": [key], **more, "message": message}
        for key in nothing
        if key != "rateLimit"
    ]
    return replace(answer, body={"data": nothing, "errors": errors})


def moved(*, to: str) -> Fault:
    """REST answers 301 to another path, as it does for renamed repositories."""

    def play(request: Request, reply: Reply) -> Answer:
        if request.is_graphql:
            return reply()
        url = f"http://{request.headers['host']}/api/v3{to}"
        body = {"message": "Moved Permanently", "url": url}
        return Answer(status=301, headers={"location": url}, body=body)

    return play


def then(change: Callable[[], object]) -> Fault:
    """The world changes right after the answer: the next page is of another list."""

    def play(_request: Request, reply: Reply) -> Answer:
        answer = reply()
        change()
        return answer

    return play


def overlapping() -> Fault:
    """Every further page begins with the last item of the page before; for `always`."""
    last: dict[str, Any] = {}

    def play(request: Request, reply: Reply) -> Answer:
        answer = reply()
        body = deepcopy(answer.body)
        items = _page_of(body.get("data") if request.is_graphql else body)
        if not items or answer.status != 200:
            return answer
        thread, is_first = _thread(request)
        before = last.get(thread)
        last[thread] = items[-1]
        if is_first or before is None:
            return answer
        items.insert(0, before)
        return replace(answer, body=body)

    return play


def _page_of(body: Any) -> list[Any] | None:
    """The list that a page is about: REST's only one, or GraphQL's outermost."""
    if isinstance(body, list):
        return body
    if not isinstance(body, dict):
        return None
    found = (_page_of(value) for key, value in body.items() if key != "rateLimit")
    return next((items for items in found if items is not None), None)


def _thread(request: Request) -> tuple[str, bool]:
    """The thing that pages of one list have in common, and whether this is the first of them."""
    if not request.is_graphql:
        rest = {name: value for name, value in request.query.items() if name != "page"}
        return f"{request.path}{rest}", request.query.get("page", "1") == "1"
    variables = dict(request.body.get("variables") or {})
    is_first = variables.pop("after", None) is None
    variables.pop("first", None)
    return request.body["query"] + json.dumps(variables, sort_keys=True), is_first
