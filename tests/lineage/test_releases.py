"""What only makes a release, and what a light tag tells nothing about (rule C5)."""

from typing import Any

import pytest
from builders import changed, commits, deploy, pull
from stored import derive

from vpemetrics.records import Change, Deployment
from vpemetrics.rules import LeadTimeStart, Rules

GRAPH = "a<b<c"
MERGE = "a<x a<y<z m:a+x n:m+z"


def tags(*, at: str = "c", **said: Any) -> list[Deployment]:
    first = deploy("v1.0.0", "Mon 10:00", "a", light_tag=False)
    return [first, deploy("v1.1.0", "Wed 10:00", at, version="v1.1.0", **said)]


def reasons(graph: str, pulls: list[Change], rows: list[Deployment], **rules: Any) -> Any:
    shipped = derive([*commits(graph), *pulls, *rows], Rules(**rules)).shipped
    return {key: one.reason for (_, key), one in shipped.items() if key != "a"}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"light_tag": True, "release_commit": True}, "release_commit"),
        ({"light_tag": False, "release_commit": True}, "release_commit"),
        ({"light_tag": True, "release_commit": False}, "light_tag"),
        ({"light_tag": True}, "light_tag"),
        ({"light_tag": False}, None),
        ({}, None),  # no tag: somebody deployed a version
    ],
)
def test_a_tagged_commit_without_a_pull_request(said: Any, expected: str | None) -> None:
    found = reasons(GRAPH, [], tags(**said))

    assert found == {"b": None, "c": expected}
    assert reasons(GRAPH, [], tags(**said), lead_time_start=LeadTimeStart.MERGE) == found


@pytest.mark.parametrize(
    ("title", "said", "expected"),
    [
        ("Release 1.1.0", {"light_tag": True}, "release_commit"),
        ("Release 1.1.0", {"light_tag": False, "release_commit": False}, "release_commit"),
        ("Release 1.1.0", {}, None),  # no tag
        ("Mend the cart", {"light_tag": True}, None),  # a pull request has times of its own
        ("Mend the cart", {"light_tag": True, "release_commit": True}, None),  # and two commits
        (None, {"light_tag": True, "release_commit": True}, "release_commit"),
        (None, {"light_tag": True}, None),
    ],
)
def test_a_tagged_pull_request(title: str | None, said: Any, expected: str | None) -> None:
    pulls = [
        pull(1, "Tue 10:00", by="m", of="x", title="Release 1.1.0"),  # not tagged
        pull(2, "Tue 12:00", by="n", of="y z", title=title),
    ]

    assert reasons(MERGE, pulls, tags(at="n", **said)) == {"#1": None, "#2": expected}


def test_a_commit_speaks_for_a_pull_request_that_it_is_all_of() -> None:
    pulls = [pull(1, "Tue 10:00", by="c", of="x", title="Get it out")]

    found = reasons("a<b<c a<x", pulls, tags(light_tag=False, release_commit=True))

    assert found == {"b": None, "#1": "release_commit"}


def test_an_earlier_deployment_tells_when_a_tagged_commit_shipped() -> None:
    early = deploy("d1", "Tue 10:00", "c")

    found = reasons("a<b<c<d", [], [*tags(at="d", light_tag=True), early])

    assert found == {"b": None, "c": None, "d": "light_tag"}


def test_another_repositorys_tag_says_nothing() -> None:
    other = deploy("o", "Wed 10:00", "b", service="other", repository="other", light_tag=True)

    assert reasons(GRAPH, [], [*tags(), other]) == {"b": None, "c": None}


def test_the_pick_of_a_release_is_what_it_was_picked_from() -> None:
    graph = changed(commits("a<b a<p"), p={"picked_from_sha": "b"})
    rows = tags(at="p", light_tag=False, release_commit=True)

    shipped = derive([*graph, *rows], Rules()).shipped

    assert {key: one.reason for (_, key), one in shipped.items() if key != "a"} == {
        "b": "release_commit"
    }
