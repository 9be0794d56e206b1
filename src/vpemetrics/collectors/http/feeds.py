"""Lists of a source that are read from where the last collection ended.

A source in one file is a list of `Feed`s and a pure function for what an item says;
`collect_feeds` keeps the cursor of each, and `collect_scopes` does so for many scopes, as
projects, at once.

How far a feed was read is its `FeedProgress`: everything from `start` to `end`, and where a
stretch beside that was left in its middle. It is saved with the records of each page, so an
interruption costs at most a page, and never loss.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from vpemetrics.agents import author_settings
from vpemetrics.collectors.base import Batch, CollectionContext
from vpemetrics.collectors.http.budget import Budget, BudgetExhausted
from vpemetrics.collectors.http.client import HttpClient
from vpemetrics.collectors.http.errors import BadAnswer, Gone, SourceProblem
from vpemetrics.collectors.http.messages import Node, Request
from vpemetrics.collectors.http.paging import Page, Paging, follow_link
from vpemetrics.collectors.http.pool import AT_ONCE, Done, Pool
from vpemetrics.collectors.http.shapes import (
    as_object,
    check_record,
    name_of,
    read_items,
    read_shape,
)
from vpemetrics.fingerprint import fingerprint
from vpemetrics.records import (
    AnyRecord,
    Change,
    Coverage,
    CoverageKind,
    Deployment,
    Incident,
    Status,
)
from vpemetrics.rules import Rules

OVERLAP: Final = timedelta(minutes=10)
"""The part of what was read that is read again, for what was written meanwhile."""
FIRST: Final = timedelta(weeks=53)
"""The time that a first collection goes back where the settings do not say."""
MOST_OPEN: Final = 500
"""Open things of a feed that are asked for again at most, the latest first."""

_TIE: Final = timedelta(seconds=1)
_AHEAD: Final = timedelta(days=1)
"""A moment further ahead of ours is none that a list is read by."""
_MOST_AGAIN: Final = 20
_ODD: Final = 2
"""The different moments of a page that may fall because one of them is odd."""


class NotUnderstood(ValueError):
    """One item says something that nobody knows how to take; it is left out, and told.

    The text names it without what tells items apart, as in `status 'undeployed'`, for it is
    counted.
    """


@dataclass(frozen=True, kw_only=True)
class Feed:
    """One list of a source, of items of which each says some records.

    `parameters` takes the stretch of time that is wanted, from its start to its end; `path`,
    `paging` and `key` are as for `HttpClient.pages`.

    A list in order of its `moment`, oldest first, is read by that: each page moves the cursor,
    and the next asks for what is later, so nothing is missed that moves while it is read. In
    lists without one the cursor holds the page that is to come, and moves at the end of `span`,
    the longest stretch that is asked for at a time, where a server bears no longer one. The
    `overlap` is how much of what was read is read again, for what was written meanwhile; it is
    long where things come late, as commits do that were pushed long after they were made.

    What is open (an incident, a deployment in progress, a change neither merged nor closed) is
    asked for again by its record's id with `refetch`, where the list does not tell of changes.
    Gone then means that it was deleted. Without `refetch` and `moment` a list is read again
    from the oldest open thing on.

    An item of which `parse` raises NotUnderstood is left out, and a warning tells how many were.
    One that is not of the shape that `parse` expects (Malformed, KeyError and the like), or of
    which it makes a record that is none, is left out too (`CollectionContext.leave_out`), and its
    page asked for again by the next collection.

    `settings` are those of the configuration on which it depends what the list tells; where
    they change, all of it is read anew.
    """

    name: str
    kind: CoverageKind
    path: str
    parameters: Callable[[datetime, datetime], Mapping[str, Any]]
    parse: Callable[[Node], Iterable[AnyRecord]]
    paging: Paging = follow_link
    key: str | None = None
    moment: Callable[[Node], datetime | None] | None = None
    span: timedelta | None = None
    overlap: timedelta = OVERLAP
    refetch: Callable[[str], Node] | None = None
    settings: object = None

    @property
    def fingerprint(self) -> str:
        """A short text that changes with the settings, and where the list is elsewhere."""
        return fingerprint(self.path, self.settings)


@dataclass(frozen=True, kw_only=True)
class FeedGap:
    """A stretch that is being read: from its `start`, or from where it was left, to its `end`.

    It was `reached` up to a moment, or the page at `address` with `parameters` is to come next.
    """

    start: datetime
    end: datetime
    reached: datetime | None = None
    address: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class FeedPage:
    """A page with an item that cannot be read: how it is asked for again."""

    address: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class FeedProgress:
    """The progress of a feed: all was read from `start` to `end`, and what else is on the way.

    `again` are pages to be asked for again, as something on them cannot be read. `open` are the ids
    of things that may change without the list telling so, with their moments.
    """

    settings: str
    start: datetime
    end: datetime
    gap: FeedGap | None = None
    open: Mapping[str, datetime] = field(default_factory=dict)
    again: tuple[FeedPage, ...] = ()

    def next_gap(
        self, begin: datetime, now: datetime, *, span: timedelta | None, overlap: timedelta
    ) -> FeedGap | None:
        """Return what is to be read next: what was begun, what came before, what came since."""
        if self.gap:
            return self.gap
        if begin < self.start:
            earliest = begin if span is None else max(begin, self.start - span)
            return FeedGap(start=earliest, end=self.start)
        if self.end >= now:
            return None
        start = max(self.start, self.end - overlap)
        return FeedGap(start=start, end=now if span is None else min(now, self.end + span))

    def closed(self, gap: FeedGap) -> "FeedProgress":
        """Return the progress with a gap read to its end."""
        return replace(self, start=min(self.start, gap.start), end=max(self.end, gap.end), gap=None)


_PROGRESS: Final = TypeAdapter(FeedProgress)


def parse_progress(text: str) -> FeedProgress | None:
    """Return the progress that a cursor tells; None if it is none of ours."""
    try:
        return _PROGRESS.validate_json(text)
    except ValidationError:
        return None


def format_progress(progress: FeedProgress) -> str:
    """Return the cursor that tells a progress."""
    return _PROGRESS.dump_json(progress, exclude_defaults=True).decode()


def collect_feeds(
    client: HttpClient,
    feeds: Iterable[Feed],
    context: CollectionContext,
    *,
    scope: str,
    since: datetime | None = None,
) -> Iterator[Batch]:
    """Return what is new in each feed of a scope, since a moment in a first collection.

    `scope` is a service's or repository's name as the source spells it, or `*` for everything.
    A feed that is forbidden, gone or cannot be read keeps none of the others from being
    collected; it is named by the SourceProblem at the end.
    """
    problems = []
    for feed in feeds:
        reader = _FeedReader(client, feed, context, scope, since)
        try:
            yield from reader.batches()
        except SourceProblem as problem:
            if problem.concerns_all:
                raise
            problems.append(f"{scope}, {feed.name}: {problem}")
    if problems:
        raise SourceProblem("\n".join(problems))


def collect_scopes(
    scopes: Sequence[str],
    collect: Callable[[str], Iterable[Batch]],
    context: CollectionContext,
    *,
    budget: Budget | None = None,
    at_once: int = AT_ONCE,
    problems: Iterable[str] = (),
) -> Iterator[Batch]:
    """Return what `collect` finds in each of many scopes, several at once.

    What goes wrong with one keeps none of the others from being collected, unless it concerns
    them all; it is raised at the end, with the `problems` that there were before. Where the
    `budget` is used up a warning says so.
    """
    budget = budget or Budget()
    pool = Pool(scopes, collect, at_once=at_once, stop=context.stop)
    problems = list(problems)
    end: Exception | None = None
    done = 0
    try:
        for found in pool.results():
            if isinstance(found, Batch):
                yield found
                continue
            done += 1
            context.progress(done, len(scopes))
            if _is_of_one(found):
                problems.append(_with_scope(found.target, str(found.error)))
            elif found.error and not isinstance(found.error, BudgetExhausted):
                end = end or found.error
                budget.stop()
    finally:
        budget.stop()
    if end:
        raise end
    if budget.is_reached:
        context.warn(
            f"ended after {budget.requests} requests, as max_requests says; "
            "the next collection goes on from here"
        )
    if problems:
        raise SourceProblem("\n".join(sorted(problems)))


def _is_of_one(done: Done[str]) -> bool:
    """Return whether something went wrong that concerns one scope only."""
    return isinstance(done.error, SourceProblem) and not done.error.concerns_all


def _with_scope(scope: str, text: str) -> str:
    return text if text.startswith(scope) else f"{scope}: {text}"


class _FeedReader:
    """Reads one feed of one scope in one collection."""

    def __init__(
        self,
        client: HttpClient,
        feed: Feed,
        context: CollectionContext,
        scope: str,
        since: datetime | None,
    ) -> None:
        self._client = client
        self._feed = feed
        self._context = context
        self._scope = scope
        self._cursor = f"{scope} {feed.name}"
        known = parse_progress(context.cursors.get(self._cursor, ""))
        settings = _settings(feed, context.rules)
        if known and known.settings != settings:
            known = None
        self._begin = since or (known.start if known else context.now - FIRST)
        self._progress = known or FeedProgress(
            settings=settings, start=self._begin, end=self._begin
        )
        self._known_until = self._progress.end
        self._asked_from = self._begin
        self._following: Request | None = None
        self._left_out: dict[str, set[object]] = {}

    def batches(self) -> Iterator[Batch]:
        """Return what could not be read, what was open, and then what is new, page by page."""
        yield from self._read_again()
        if self._feed.refetch:
            yield from self._refetch(self._feed.refetch)
        elif self._feed.moment is None:
            self._go_back_to_open()
        overlap = self._feed.overlap
        while gap := self._next_gap(overlap):
            yield from self._read(gap)
            overlap = _TIE if gap.end > self._known_until else overlap
        for what, ids in self._left_out.items():
            where = f"{self._scope}, {self._feed.name}"
            self._context.warn(f"{where}: left out {len(ids):,}, as nothing is known of {what}")

    def _next_gap(self, overlap: timedelta) -> FeedGap | None:
        return self._progress.next_gap(
            self._begin, self._context.now, span=self._feed.span, overlap=overlap
        )

    def _refetch(self, refetch: Callable[[str], Node]) -> Iterator[Batch]:
        """Ask for each thing that was open, by its id."""
        for id_ in list(self._progress.open):
            try:
                records = self._parse(self._refetched(refetch, id_), None)
            except Gone:
                records = []
                left = {other: at for other, at in self._progress.open.items() if other != id_}
                self._progress = replace(self._progress, open=left)
            yield self._batch(records)

    def _refetched(self, refetch: Callable[[str], Node], id_: str) -> list[Node]:
        """Return the thing behind an id; none if that cannot be read, so that it stays open."""
        try:
            about = self._name({"id": id_})
            return [read_shape(lambda: refetch(id_), server=self._client.server, about=about)]
        except BadAnswer as bad:
            self._context.leave_out(about, str(bad))
            return []

    def _read_again(self) -> Iterator[Batch]:
        """Ask again for the pages on which something could not be read."""
        pages = self._progress.again
        self._progress = replace(self._progress, again=())
        for page in pages:
            request = Request(address=page.address, parameters=page.parameters)
            try:
                read = next(self._client.read_pages(request, key=self._feed.key))
            except SourceProblem as problem:
                if problem.concerns_all:
                    raise
                self._note_again(request)
                self._context.leave_out(self._name(None), str(problem))
            else:
                yield self._batch(self._parse(read.items, request))

    def _note_again(self, request: Request) -> None:
        again = noted_again(self._progress.again, feed_page(request, self._client))
        self._progress = replace(self._progress, again=again)

    def _go_back_to_open(self) -> None:
        """Have the list read again from the oldest open thing on."""
        progress = self._progress
        if progress.open and not progress.gap:
            oldest = max(progress.start, min(progress.end, *progress.open.values()))
            self._progress = replace(progress, end=oldest, open={})

    def _read(self, gap: FeedGap) -> Iterator[Batch]:
        """Read a gap from where it was left to its end."""
        self._progress = replace(self._progress, gap=gap)
        pages = self._client.read_pages(
            self._request(gap), paging=self._next_request, key=self._feed.key
        )
        try:
            first = next(pages)
        except SourceProblem as problem:
            if gap.address is None or problem.concerns_all:
                raise
            # The address of a page may stop working, as cursors of many servers do in time.
            self._progress = replace(self._progress, gap=FeedGap(start=gap.start, end=gap.end))
            return
        for page in chain([first], pages):
            records = self._parse(page.items, page.request)
            self._move(gap, page)
            yield self._batch([*records, *self._coverage(gap)])

    def _request(self, gap: FeedGap) -> Request:
        """Return the request for the page that is to come."""
        if gap.address is not None:
            return Request(address=gap.address, parameters=gap.parameters)
        self._asked_from = max(gap.start, gap.reached - _TIE) if gap.reached else gap.start
        return self._request_from(gap.end)

    def _request_from(self, end: datetime) -> Request:
        parameters = self._feed.parameters(self._asked_from, end)
        return Request(address=self._feed.path, parameters=parameters)

    def _next_request(self, page: Page) -> Request | None:
        """Return the request for the page after one, and remember it.

        In a list by moments that is what is later, unless that would be the same page again:
        pages by number or offset move while they are read, as what changes goes to the end. Where
        the moments of a page do not rise one is odd, and what is later not all that is to come, so
        the page that the server names is next.
        """
        following, gap = self._feed.paging(page), self._progress.gap
        moments = self._moments(page)
        if following and gap and moments:
            self._refuse_newest_first(moments)
            later = max(moments) - _TIE
            if _is_rising(moments) and later > max(self._asked_from, min(moments)):
                self._asked_from = later
                following = self._request_from(gap.end)
        self._following = following
        return following

    def _refuse_newest_first(self, moments: list[datetime]) -> None:
        """Raise SourceProblem for a list that comes newest first.

        Two moments that fall may be one odd moment among those that rise or are equal, as of a
        clock that was wrong or a value that a copy of the server has not yet; three never are:
        without the odd one the rest would have to rise and fall, and so be equal.
        """
        falling = moments == sorted(moments, reverse=True)
        if falling and len(set(moments)) > _ODD and moments[0] - moments[-1] > _TIE:
            raise SourceProblem(
                "the list comes newest first, so what is older would be missed; "
                "its `parameters` have to ask for the oldest first, or it may have no `moment`"
            )

    def _moments(self, page: Page) -> list[datetime]:
        latest = self._context.now + _AHEAD
        moments = map(self._moment, page.items)
        return [at for at in moments if at and at <= latest]

    def _moment(self, item: Node) -> datetime | None:
        """Return the moment that a list is in order of; None of an item that cannot be read."""
        moment = self._feed.moment
        if moment is None:
            return None
        try:
            return read_shape(lambda: moment(as_object(item, "it")), server="", about="")
        except BadAnswer:
            return None

    def _move(self, gap: FeedGap, page: Page) -> None:
        """Note that a page was read, and with the last one its gap."""
        following = self._following
        if following is None:
            self._progress = self._progress.closed(gap)
        elif self._feed.moment and _is_rising(moments := self._moments(page)):
            reached = max([*moments, gap.reached or gap.start])
            self._progress = replace(self._progress, gap=replace(gap, reached=reached))
        else:
            address = following.address.removeprefix(self._client.url)
            left = replace(gap, address=address, parameters=following.parameters)
            self._progress = replace(self._progress, gap=left)

    def _coverage(self, gap: FeedGap) -> Iterator[Coverage]:
        """Return what is known now that a gap is read; nothing while it is not."""
        if self._progress.gap is None and gap.start < gap.end:
            yield Coverage(
                source=self._context.source,
                scope=self._scope,
                kind=self._feed.kind,
                start=gap.start,
                end=gap.end,
            )

    def _parse(self, items: Sequence[Node], page: Request | None) -> list[AnyRecord]:
        """Return what items say, and note what of it is open, and which `page` has odd ones."""
        records, has_bad = read_items(
            items,
            self._parsed,
            server=self._client.server,
            name=self._name,
            leave_out=self._context.leave_out,
        )
        if has_bad and page:
            self._note_again(page)
        if self._feed.refetch or self._feed.moment is None:
            self._note_open(records)
        return records

    def _parsed(self, item: Node) -> list[AnyRecord]:
        try:
            return [check_record(record) for record in self._feed.parse(item)]
        except NotUnderstood as what:
            # Some come twice, at the end of one page and the beginning of the next.
            self._left_out.setdefault(str(what), set()).add(item.get("id"))
            return []

    def _name(self, item: object) -> str:
        place = self._client.server if self._scope == "*" else self._scope
        return name_of(item, f"one of the {self._feed.name.replace('_', ' ')}", place)

    def _note_open(self, records: Iterable[AnyRecord]) -> None:
        opened = dict(self._progress.open)
        for record in records:
            moment = open_since(record)
            if moment:
                opened[record.key] = moment
            else:
                opened.pop(record.key, None)
        latest = sorted(opened, key=lambda id_: opened[id_])[-MOST_OPEN:]
        if len(latest) < len(opened):
            self._context.warn(
                f"{self._scope}, {self._feed.name}: {len(opened):,} things are open; only the "
                f"latest {MOST_OPEN} are asked for again"
            )
        self._progress = replace(self._progress, open={id_: opened[id_] for id_ in latest})

    def _batch(self, records: Sequence[AnyRecord]) -> Batch:
        return Batch(records=records, cursors={self._cursor: format_progress(self._progress)})


def _settings(feed: Feed, rules: Rules) -> str:
    """A short text that changes where something else would become of what a list tells."""
    if feed.kind in (CoverageKind.COMMITS, CoverageKind.PULL_REQUESTS):
        return fingerprint(feed.fingerprint, author_settings(rules))
    return feed.fingerprint


def _is_rising(moments: Sequence[datetime]) -> bool:
    return list(moments) == sorted(moments)


def feed_page(request: Request, client: HttpClient) -> FeedPage:
    """Return the page that a request asked for."""
    address = request.address.removeprefix(client.url)
    return FeedPage(address=address, parameters=request.parameters)


def noted_again(pages: Iterable[FeedPage], page: FeedPage) -> tuple[FeedPage, ...]:
    """Return the pages to be asked for again, with one more: the latest few."""
    return (page, *(other for other in pages if other != page))[:_MOST_AGAIN]


def open_since(record: AnyRecord) -> datetime | None:
    """Return the moment of a record that is going to change; None if it is not."""
    match record:
        case Incident(resolved_at=None, detected_at=moment):
            return moment
        case Deployment(status=Status.IN_PROGRESS, started_at=moment):
            return moment
        case Change(merged_at=None, closed_at=None, created_at=moment):
            return moment
    return None
