"""Feeds against a forge of few words: what is new, what was open, what an interruption costs."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loopback import NOON, Asked, Hourglass, Loopback, Say

from vpemetrics.collectors.base import Batch, CollectionContext
from vpemetrics.collectors.http import (
    BadCredentials,
    Budget,
    Feed,
    HttpClient,
    Node,
    SecretHeaders,
    SourceProblem,
    collect_feeds,
    collect_scopes,
)
from vpemetrics.records import AnyRecord, Coverage, CoverageKind, Incident
from vpemetrics.window import format_instant, parse_instant

DAY = timedelta(days=1)
BEGIN = NOON - 30 * DAY
PAGE = 3


@dataclass
class Forge:
    """Incidents by id, in pages of three: by creation under `made`, by update under `touched`."""

    url: str
    incidents: dict[str, dict[str, Any]] = field(default_factory=dict)
    broken: dict[str, Say] = field(default_factory=dict)
    moving: str | None = None
    newest_first: bool = False
    page: int = PAGE

    def open(self, id_: str, at: datetime, *, closed: datetime | None = None) -> None:
        end = closed and format_instant(closed)
        self.incidents[id_] = {
            "id": id_,
            "made": format_instant(at),
            "touched": end or format_instant(at),
            "closed": end,
        }

    def answer(self, asked: Asked) -> Say:
        parts = urlsplit(asked.path)
        name = parts.path.removeprefix("/api/v3/")
        parameters = dict(parse_qsl(parts.query))
        if name in self.broken:
            return self.broken[name]
        if name.startswith("incidents/"):
            found = self.incidents.get(name.removeprefix("incidents/"))
            return Say(json=found) if found else Say(status=404, json={})
        say = self._list(name.split("/")[-1], name, parameters)
        if self.moving:
            self.incidents.pop(self.moving)
            self.moving = None
        return say

    def _list(self, order: str, name: str, parameters: Mapping[str, str]) -> Say:
        start, end = parameters["from"], parameters["to"]
        found = sorted(
            (one for one in self.incidents.values() if start <= one[order] < end),
            key=lambda one: (one[order], one["id"]),
            reverse=self.newest_first,
        )
        page = int(parameters.get("page", 1))
        link = f'<{self.url}/{name}?from={start}&to={end}&page={page + 1}>; rel="next"'
        headers = {"Link": link} if page * self.page < len(found) else {}
        return Say(json=found[page * self.page - self.page : page * self.page], headers=headers)


def parse(node: Node) -> Iterator[Incident]:
    closed = node["closed"]
    yield Incident(
        id=node["id"],
        detected_at=parse_instant(node["made"]),
        resolved_at=parse_instant(closed) if closed else None,
    )


def stretch(start: datetime, end: datetime) -> dict[str, str]:
    return {"from": format_instant(start), "to": format_instant(end)}


def touched_at(node: Node) -> datetime:
    return parse_instant(node["touched"])


MADE = Feed(
    name="incidents",
    kind=CoverageKind.INCIDENTS,
    path="made",
    parameters=stretch,
    parse=parse,
)
TOUCHED = replace(MADE, path="touched", moment=touched_at)


@pytest.fixture
def forge(server: Loopback) -> Forge:
    forge = Forge(url=server.url)
    server.answer = forge.answer
    return forge


@dataclass
class Collected:
    """What collections saved: records by id, coverage, and cursors."""

    client: HttpClient
    records: dict[str, AnyRecord] = field(default_factory=dict)
    coverage: list[Coverage] = field(default_factory=list)
    cursors: dict[str, str] = field(default_factory=dict)
    warned: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def context(self, now: datetime) -> CollectionContext:
        return CollectionContext(
            source="forge",
            now=now,
            cursors=self.cursors,
            warn=self.warned.append,
            leave_out=lambda _name, why: self.left_out.append(why),
        )

    def save(self, batch: Batch) -> None:
        for record in batch.records:
            if isinstance(record, Coverage):
                self.coverage.append(record)
            else:
                self.records[record.key] = record
        self.cursors |= batch.cursors

    def save_all(self, batches: Iterable[Batch]) -> None:
        for batch in batches:
            self.save(batch)

    def collect(
        self,
        *feeds: Feed,
        now: datetime = NOON,
        since: datetime | None = BEGIN,
        batches: int | None = None,
    ) -> None:
        """Collect to the end, or be killed after so many batches are saved."""
        found = collect_feeds(self.client, feeds, self.context(now), scope="shop", since=since)
        for number, batch in enumerate(found, 1):
            self.save(batch)
            if number == batches:
                return


@pytest.fixture
def collected(client: HttpClient) -> Collected:
    return Collected(client)


@pytest.mark.parametrize("feed", [MADE, TOUCHED])
def test_all_is_read_and_then_what_is_new(
    collected: Collected, forge: Forge, server: Loopback, feed: Feed
) -> None:
    for number in range(7):
        forge.open(f"i{number}", BEGIN + number * DAY, closed=BEGIN + number * DAY)
    collected.collect(feed)
    assert sorted(collected.records) == [f"i{number}" for number in range(7)]
    assert len(server.asked) == 3
    forge.open("new", NOON + DAY, closed=NOON + DAY)
    server.asked.clear()

    collected.collect(feed, now=NOON + 2 * DAY)

    assert "new" in collected.records
    assert len(server.asked) == 1
    begin = format_instant(NOON - timedelta(minutes=10)).replace(":", "%3A")
    assert f"from={begin}&" in server.paths[0]
    assert [(one.start, one.end) for one in collected.coverage] == [
        (BEGIN, NOON),
        (NOON - timedelta(minutes=10), NOON + 2 * DAY),
    ]
    assert {(one.source, one.scope, one.kind) for one in collected.coverage} == {
        ("forge", "shop", "incidents")
    }


@pytest.mark.parametrize("feed", [MADE, TOUCHED, replace(MADE, span=5 * DAY)])
@pytest.mark.parametrize("killed", [1, 2, 3])
def test_an_interruption_costs_at_most_a_page_and_loses_nothing(
    collected: Collected, forge: Forge, server: Loopback, feed: Feed, killed: int
) -> None:
    for number in range(20):
        at = BEGIN + number * DAY
        forge.open(f"i{number}", at, closed=at)
    uninterrupted = Collected(collected.client)
    uninterrupted.collect(feed)
    whole = len(server.asked)
    server.asked.clear()

    collected.collect(feed, batches=killed)
    assert collected.coverage == [] or feed.span
    collected.collect(feed, now=NOON)

    assert collected.records == uninterrupted.records
    assert len(server.asked) <= whole + 1
    assert max(one.end for one in collected.coverage) == NOON


def test_what_moves_while_a_list_is_read_is_not_missed(collected: Collected, forge: Forge) -> None:
    for number in range(9):
        forge.open(f"i{number}", BEGIN + number * DAY, closed=BEGIN + number * DAY)
    forge.moving = "i0"  # goes off the first page once that was given, so that all others move up

    collected.collect(TOUCHED)

    assert sorted(collected.records) == [f"i{number}" for number in range(9)]


def test_a_list_that_comes_newest_first_is_refused_and_not_cut_short(
    collected: Collected, forge: Forge
) -> None:
    for number in range(9):
        forge.open(f"i{number}", BEGIN + number * DAY, closed=BEGIN + number * DAY)
    forge.newest_first = True

    with pytest.raises(SourceProblem, match="shop, incidents: the list comes newest first"):
        collected.collect(TOUCHED)

    assert collected.coverage == []


@pytest.mark.parametrize(
    ("at", "odd"), [*((at, -20) for at in range(6)), *((at, 15) for at in (0, 1, 3))]
)
def test_a_moment_that_stands_out_of_order_costs_nothing(
    collected: Collected, forge: Forge, at: int, odd: float
) -> None:
    """The list is in the order of what really happened, and one item says something else.

    One that is the last of its page is believed: there the server's order and it agree.
    """
    for number in range(6):
        forge.open(f"i{number}", BEGIN + number * DAY, closed=BEGIN + number * DAY)
    feed = replace(
        TOUCHED,
        moment=lambda node: BEGIN + odd * DAY if node["id"] == f"i{at}" else touched_at(node),
    )

    collected.collect(feed)

    assert sorted(collected.records) == [f"i{number}" for number in range(6)]


def test_two_that_fall_on_one_page_are_read_on_by_the_page_that_is_named(
    collected: Collected, forge: Forge
) -> None:
    forge.newest_first, forge.page = True, 2
    for number in range(6):
        forge.open(f"i{number}", BEGIN + number * DAY, closed=BEGIN + number * DAY)

    collected.collect(TOUCHED)

    assert sorted(collected.records) == [f"i{number}" for number in range(6)]


def test_many_things_of_one_moment_are_read_by_pages(
    collected: Collected, forge: Forge, server: Loopback
) -> None:
    for number in range(10):
        forge.open(f"i{number}", BEGIN, closed=BEGIN)
    forge.open("last", BEGIN + DAY, closed=BEGIN + DAY)

    collected.collect(TOUCHED)

    assert len(collected.records) == 11
    assert len(server.asked) == 4


def test_an_earlier_day_to_begin_with_has_what_came_before_read(
    collected: Collected, forge: Forge, server: Loopback
) -> None:
    forge.open("early", BEGIN - 5 * DAY, closed=BEGIN)
    forge.open("late", BEGIN + DAY, closed=BEGIN + DAY)
    collected.collect(MADE)
    assert list(collected.records) == ["late"]
    server.asked.clear()

    collected.collect(MADE, since=BEGIN - 10 * DAY)

    assert sorted(collected.records) == ["early", "late"]
    assert len(server.asked) == 1  # nothing is newer than the last collection
    assert collected.coverage[-1].start == BEGIN - 10 * DAY
    assert collected.coverage[-1].end == BEGIN


def test_what_comes_late_is_found_in_a_long_overlap(collected: Collected, forge: Forge) -> None:
    feed = replace(MADE, overlap=5 * DAY)
    collected.collect(feed)
    forge.open("late", NOON - 4 * DAY, closed=NOON)

    collected.collect(feed, now=NOON + DAY)

    assert list(collected.records) == ["late"]


def test_an_overlap_is_read_once_and_not_with_every_stretch(
    collected: Collected, forge: Forge, server: Loopback
) -> None:
    feed = replace(MADE, overlap=5 * DAY, span=DAY)
    collected.collect(feed)
    server.asked.clear()

    collected.collect(feed, now=NOON + 3 * DAY)

    starts = [parse_qsl(urlsplit(path).query)[0][1] for path in server.paths]
    second = timedelta(seconds=1)
    assert [parse_instant(start) for start in starts] == [
        NOON - 5 * DAY,
        NOON + DAY - second,
        NOON + 2 * DAY - second,
    ]


def test_a_stretch_at_a_time_is_asked_for_where_no_longer_one_is_borne(
    collected: Collected, forge: Forge, server: Loopback
) -> None:
    forge.open("a", BEGIN, closed=BEGIN)

    collected.collect(replace(MADE, span=8 * DAY))

    assert len(server.asked) == 4
    assert collected.coverage[0].end == BEGIN + 8 * DAY
    assert collected.coverage[-1].end == NOON


def refetch(client: HttpClient) -> Feed:
    return replace(MADE, refetch=lambda id_: client.get(f"incidents/{id_}"))


def test_what_was_open_is_asked_for_again_until_it_is_closed_or_gone(
    collected: Collected, forge: Forge, server: Loopback, client: HttpClient
) -> None:
    feed = refetch(client)
    forge.open("a", BEGIN)
    forge.open("b", BEGIN)
    collected.collect(feed)
    forge.open("a", BEGIN, closed=NOON)
    del forge.incidents["b"]
    server.asked.clear()

    collected.collect(feed, now=NOON + DAY)
    asked = [path for path in server.paths if "/incidents/" in path]
    collected.collect(feed, now=NOON + 2 * DAY)

    assert sorted(asked) == ["/api/v3/incidents/a", "/api/v3/incidents/b"]
    incident = collected.records["a"]
    assert isinstance(incident, Incident)
    assert incident.resolved_at == NOON
    assert len([path for path in server.paths if "/incidents/" in path]) == 2


def test_without_a_way_to_ask_for_one_the_list_is_read_from_the_oldest_open_on(
    collected: Collected, forge: Forge
) -> None:
    forge.open("a", BEGIN + DAY)
    collected.collect(MADE)
    forge.open("a", BEGIN + DAY, closed=NOON)

    collected.collect(MADE, now=NOON + DAY)

    incident = collected.records["a"]
    assert isinstance(incident, Incident)
    assert incident.resolved_at == NOON


@pytest.mark.slow
def test_only_so_many_open_things_are_asked_for_again_and_it_says_so(
    collected: Collected, forge: Forge, server: Loopback, client: HttpClient
) -> None:
    for number in range(502):
        forge.open(f"i{number:03}", BEGIN + timedelta(minutes=number))
    server_page = forge.answer
    server.answer = lambda asked: (
        Say(json=list(forge.incidents.values())) if "made" in asked.path else server_page(asked)
    )
    collected.collect(refetch(client))
    server.asked.clear()
    server.answer = server_page

    collected.collect(refetch(client), now=NOON + timedelta(seconds=1))

    asked = {path.split("/")[-1] for path in server.paths if "/incidents/" in path}
    assert len(asked) == 500
    assert not asked & {"i000", "i001"}
    assert collected.warned == [
        "shop, incidents: 502 things are open; only the latest 500 are asked for again"
    ]


def test_other_settings_have_all_of_it_read_anew(
    collected: Collected, forge: Forge, server: Loopback
) -> None:
    forge.open("a", BEGIN, closed=BEGIN)
    collected.collect(MADE)
    collected.records.clear()

    collected.collect(replace(MADE, settings=["label"]), now=NOON)

    assert list(collected.records) == ["a"]


def test_a_cursor_of_somebody_else_is_none(collected: Collected, forge: Forge) -> None:
    forge.open("a", BEGIN, closed=BEGIN)
    collected.cursors["shop incidents"] = '{"page": 3}'

    collected.collect(MADE)

    assert list(collected.records) == ["a"]


def test_an_address_of_a_page_that_stopped_working_costs_the_stretch(
    collected: Collected, forge: Forge, server: Loopback
) -> None:
    for number in range(7):
        forge.open(f"i{number}", BEGIN + number * DAY, closed=BEGIN + number * DAY)
    collected.collect(MADE, batches=1)
    server.answer = lambda asked: (
        Say(status=400, json={})
        if "page=" in asked.path and len(server.asked) < 3
        else forge.answer(asked)
    )

    collected.collect(MADE)

    assert len(collected.records) == 7


def test_one_feed_that_is_refused_keeps_none_of_the_others_and_is_named(
    collected: Collected, forge: Forge
) -> None:
    forge.open("a", BEGIN, closed=BEGIN)
    forge.broken["no"] = Say(status=403, json={"message": "Forbidden"})
    secret = replace(MADE, name="secrets", path="no")

    with pytest.raises(SourceProblem, match=r"^shop, secrets: asking Forge for no: 403 Forbidden"):
        collected.collect(secret, MADE)

    assert list(collected.records) == ["a"]


def test_what_concerns_all_ends_it_at_once(
    collected: Collected, forge: Forge, server: Loopback
) -> None:
    forge.broken["made"] = Say(status=401, json={})

    with pytest.raises(BadCredentials):
        collected.collect(MADE, replace(MADE, name="others"))

    assert len(server.asked) == 1


def test_an_item_that_is_not_as_expected_is_left_out_and_asked_for_again(
    collected: Collected, forge: Forge
) -> None:
    forge.open("a", BEGIN, closed=BEGIN)
    forge.open("b", BEGIN + DAY, closed=BEGIN + DAY)
    odd = forge.incidents["a"].pop("closed")

    collected.collect(MADE)
    collected.collect(MADE, now=NOON + DAY)

    why = "Forge's answer about one of the incidents of shop with id a has no `closed`"
    assert collected.left_out == [why, why]
    assert list(collected.records) == ["b"]

    forge.incidents["a"]["closed"] = odd
    collected.collect(MADE, now=NOON + 2 * DAY)
    collected.collect(MADE, now=NOON + 3 * DAY)

    assert collected.left_out == [why, why]
    assert list(collected.records) == ["b", "a"]


def test_where_all_items_are_odd_the_feed_fails_and_nothing_is_passed_over(
    collected: Collected, forge: Forge
) -> None:
    feed = replace(MADE, parse=lambda node: parse({**node, "made": node["born"]}))
    for number in range(9):
        forge.open(str(number), BEGIN + number * timedelta(hours=1), closed=NOON)
    forge.page = 5

    with pytest.raises(SourceProblem, match="has no `born`, and so it is with the 4 others"):
        collected.collect(feed)
    collected.collect(MADE)

    assert len(collected.records) == 9


def scoped(client: HttpClient, scope: str, context: CollectionContext) -> Iterator[Batch]:
    feed = replace(MADE, path=f"{scope}/made")
    return collect_feeds(client, [feed], context, scope=scope, since=BEGIN)


def test_many_scopes_are_collected_and_what_goes_wrong_with_one_is_told_at_the_end(
    collected: Collected, forge: Forge
) -> None:
    forge.open("a", BEGIN, closed=BEGIN)
    forge.broken["s2/made"] = Say(status=404, json={})
    context = collected.context(NOON)

    found = collect_scopes(
        ["s1", "s2", "s3"], lambda scope: scoped(collected.client, scope, context), context
    )

    with pytest.raises(SourceProblem, match=r"^s2, incidents: asking Forge for s2/made: there is"):
        collected.save_all(found)

    assert {one.scope for one in collected.coverage} == {"s1", "s3"}


def test_a_collection_ends_with_its_budget_and_goes_on_next_time(
    server: Loopback, hourglass: Hourglass, forge: Forge
) -> None:
    forge.open("a", BEGIN, closed=BEGIN)
    scopes = [f"s{number}" for number in range(5)]

    def collect(collected: Collected, most: int | None) -> None:
        budget = Budget(most)
        headers = SecretHeaders({"PRIVATE-TOKEN": "glpat-abc"})
        with HttpClient(
            server.url, headers, server="Forge", policy=hourglass.policy(), budget=budget
        ) as client:
            context = collected.context(NOON)
            found = collect_scopes(
                scopes,
                lambda scope: scoped(client, scope, context),
                context,
                budget=budget,
                at_once=1,
            )
            collected.save_all(found)

    collected = Collected(HttpClient(server.url, dict, server="Forge"))
    collect(collected, 2)

    assert collected.warned == [
        "ended after 2 requests, as max_requests says; the next collection goes on from here"
    ]
    collect(collected, None)
    assert {one.scope for one in collected.coverage} == set(scopes)
    assert len(server.asked) == 5


def test_a_problem_that_concerns_all_scopes_is_raised_as_it_is(
    collected: Collected, forge: Forge
) -> None:
    forge.broken |= {f"s{number}/made": Say(status=401, json={}) for number in range(20)}
    context = collected.context(NOON)

    with pytest.raises(BadCredentials):
        list(
            collect_scopes(
                [f"s{number}" for number in range(20)],
                lambda scope: scoped(collected.client, scope, context),
                context,
            )
        )


@settings(max_examples=15)
@given(data=st.data(), feed=st.sampled_from(["made", "touched", "spans"]))
def test_whatever_happens_and_whenever_it_is_killed_all_is_found_in_the_end(
    client: HttpClient, server: Loopback, data: st.DataObject, feed: str
) -> None:
    forge = Forge(url=server.url)
    server.answer = forge.answer
    feeds = {"made": refetch(client), "touched": TOUCHED, "spans": refetch(client)}
    feeds["spans"] = replace(feeds["spans"], span=6 * DAY)
    collected = Collected(client)
    now = BEGIN
    for day in range(data.draw(st.integers(1, 4))):
        now += 7 * DAY
        for number in range(data.draw(st.integers(0, 9))):
            at = now - timedelta(hours=data.draw(st.integers(0, 160)))
            closed = at + timedelta(hours=1) if data.draw(st.booleans()) else None
            forge.open(f"{day}-{number}", at, closed=closed)
        for id_ in [id_ for id_, node in forge.incidents.items() if not node["closed"]]:
            if data.draw(st.booleans()):
                made = parse_instant(forge.incidents[id_]["made"])
                forge.open(id_, made, closed=now - timedelta(minutes=1))
        killed = data.draw(st.integers(1, 4))
        collected.collect(feeds[feed], now=now + timedelta(hours=2), batches=killed)

    collected.collect(feeds[feed], now=now + timedelta(hours=3))

    found = {record for node in forge.incidents.values() for record in parse(node)}
    assert set(collected.records.values()) == found
    assert min(one.start for one in collected.coverage) == BEGIN
