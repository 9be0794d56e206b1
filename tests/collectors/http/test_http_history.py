"""Histories read by ranges, page by page: an interruption costs a page at most."""

from datetime import timedelta

from loopback import NOON, Loopback, Say

from vpemetrics.collectors.base import CollectionContext
from vpemetrics.collectors.http import CommitHistory, HttpClient, Node, collect_history
from vpemetrics.records import Commit, Coverage, CoverageKind

DAY = timedelta(days=1)
BEGIN = NOON - 10 * DAY


def parse(node: Node) -> Commit:
    return Commit(sha=node["id"], repository="acme/shop")


HISTORY = CommitHistory(scope="acme/shop", path="commits", parse=parse, size=2)


def page(*shas: str) -> Say:
    return Say(json=[{"id": sha} for sha in shas])


def context(**cursors: str) -> CollectionContext:
    return CollectionContext(source="forge", now=NOON, cursors=cursors)


def test_each_page_says_where_the_next_collection_goes_on(
    server: Loopback, client: HttpClient
) -> None:
    server.say(page("d", "c"), page("b", "a"), page())
    first, *_ = collect_history(client, HISTORY, context(), head="d", since=BEGIN)
    server.asked.clear()
    server.say(page("b", "a"), page())
    rest = list(collect_history(client, HISTORY, context(**first.cursors), head="d", since=BEGIN))

    assert [path.rpartition("page=")[2] for path in server.paths] == ["2", "3"]
    found = [record for batch in rest for record in batch.records]
    assert [record.sha for record in found if isinstance(record, Commit)] == ["b", "a"]
    assert found[-1] == Coverage(
        source="forge", scope="acme/shop", kind=CoverageKind.COMMITS, start=BEGIN, end=NOON
    )


def test_a_branch_that_moves_meanwhile_is_read_to_its_new_end(
    server: Loopback, client: HttpClient
) -> None:
    server.say(page("d", "c"), page("b"))
    first, *_ = collect_history(client, HISTORY, context(), head="d", since=BEGIN)
    server.asked.clear()
    server.say(page("b"), page("e"))
    rest = collect_history(client, HISTORY, context(**first.cursors), head="e", since=BEGIN)

    assert [record.key[0] for batch in rest for record in batch.records][:2] == ["b", "e"]
    assert ["ref_name=d&" in server.paths[0], "ref_name=d..e" in server.paths[1]] == [True, True]


def test_an_earlier_begin_is_read_from_the_beginning(server: Loopback, client: HttpClient) -> None:
    server.say(page("d"), page("d"))
    *_, last = collect_history(client, HISTORY, context(), head="d", since=BEGIN)
    list(collect_history(client, HISTORY, context(**last.cursors), head="d", since=BEGIN - DAY))

    assert ["since=2026-07-29" in server.paths[0], "since=2026-07-28" in server.paths[1]] == [
        True,
        True,
    ]
