"""Pages that suit GitHub: halved where they are too heavy, asked again where they have gaps."""

import pytest
from github_collecting import Collected, collecting
from github_server import faults
from github_server.answer import Answer, Request
from github_server.faults import Faults, Reply
from github_server.world import World
from github_world import NEXT_WEEK, after

from vpemetrics.collectors.github.cursor import parse_cursor
from vpemetrics.collectors.http import SourceProblem
from vpemetrics.records import Change, Commit


@pytest.fixture
def world() -> World:
    world = World()
    shop = world.repository("acme/shop")
    ada = world.account("ada")
    shop.commit("All", author=ada, at=after(0))
    for number in range(90):
        made = shop.commit(
            f"Step {number}", author=ada, at=after(number), branch="x", parents=[shop.tip or ""]
        )
        shop.open_pull(f"{number}", author=ada, commits=[made.oid], at=after(number))
    return world


def size(found: Collected) -> int:
    cursor = parse_cursor(found.cursors["acme/shop"])
    assert cursor
    return cursor.lists["pull requests"].size


def pages(found: Collected) -> list[int]:
    """The sizes of pages of pull requests that were asked for."""
    bodies = [one.body for one in found.github.log if one.is_graphql]
    return [one["variables"]["first"] for one in bodies if "query Pulls(" in one["query"]]


def test_pages_that_are_too_heavy_are_halved_and_grow_again(world: World) -> None:
    heavy = faults.heavy(nodes=25 * 202)
    with collecting(world, NEXT_WEEK, faults=Faults(always=(heavy,))) as github:
        found = github.collect()

    assert len(found.of(Change)) == 90
    asked = pages(found)
    assert asked[:2] == [50, 25]
    assert max(asked[2:]) > 24
    assert size(found) < 30


def test_the_size_that_went_well_is_remembered(world: World) -> None:
    heavy = faults.heavy(nodes=25 * 202)
    with collecting(world, NEXT_WEEK, faults=Faults(always=(heavy,))) as github:
        github.collect()
        remembered, before = size(github), len(pages(github))
        shop = world.repository("acme/shop")
        shop.review(shop.pulls[1], "APPROVED", by=world.account("bob"), at=NEXT_WEEK)
        github.collect()

    assert pages(github)[before] == remembered


@pytest.mark.parametrize("nested", [False, True])
def test_what_answers_leave_out_is_asked_for_again(world: World, nested: bool) -> None:
    shop = world.repository("acme/shop")
    made = shop.commit("Merged", author=world.account("ada"), at=after(99))
    shop.commit(
        "Two parents",
        author=world.account("ada"),
        at=after(100),
        parents=[made.oid, shop.pulls[1].commits[0]],
    )
    gaps = faults.partial(nested=nested)
    with collecting(world, NEXT_WEEK) as github:
        whole = github.collect().records
    with collecting(world, NEXT_WEEK, faults=Faults(kinds=(gaps,), chance=0.3, seed=3)) as github:
        found = github.collect()
        for _ in range(4):
            found.collect()

    differing = {
        key for key, one in whole.items() if key[0] != "coverage" and found.records.get(key) != one
    }
    assert differing == set()


def test_pages_that_overlap_and_change_lose_nothing(world: World) -> None:
    shop = world.repository("acme/shop")
    bob = world.account("bob")

    def touch() -> None:
        shop.review(shop.pulls[5], "COMMENTED", by=bob, at=NEXT_WEEK)

    always = (faults.overlapping(), faults.then(touch))
    with collecting(world, NEXT_WEEK, faults=Faults(always=always)) as github:
        github.collect()
        found = github.collect()

    assert len(found.of(Change)) == 90
    assert found.of(Change)["acme/shop#5"].first_review_at == NEXT_WEEK


def test_a_history_that_is_not_found_for_once_is_read_later(world: World) -> None:
    shop = world.repository("acme/shop")
    for number in range(250):
        shop.commit(f"Step {number}", author=world.account("ada"), at=after(100 + number / 10))

    def lost(request: Request, reply: Reply) -> Answer:
        is_second = request.is_graphql and "query History(" in request.body["query"]
        is_second = is_second and request.body["variables"]["after"] is not None
        return faults.not_found(request, reply) if is_second else reply()

    with collecting(world, NEXT_WEEK, faults=Faults(always=(lost,))) as github:
        with pytest.raises(SourceProblem, match="commits"):
            github.collect()
        cursors, records = github.cursors, github.records
    with collecting(world, NEXT_WEEK) as github:
        github.cursors, github.records = cursors, records
        found = github.collect()

    assert len(found.of(Commit)) == 251
