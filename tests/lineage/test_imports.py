"""History that a merge brought in from elsewhere is no change; the merge is one (rule C6)."""

from typing import Any

import pytest
from builders import at, changed, commits, deploys, pull
from stored import Stored, derive

from vpemetrics.records import Change, Commit
from vpemetrics.rules import Rules

TABLE = "Mon 10:00 eu a \n Wed 10:00 eu {}"
IMPORTED = "imported_history"


def imported(graph: str | list[Commit], pulls: list[Change], tip: str) -> Stored:
    rows = commits(graph) if isinstance(graph, str) else graph
    return derive([*rows, *pulls, *deploys(TABLE.format(tip))], Rules())


def reasons(stored: Stored) -> dict[str, Any]:
    return {key: one.reason for (_, key), one in stored.shipped.items() if key != "a"}


@pytest.mark.parametrize(
    ("graph", "tip", "expected"),
    [
        ("a<b x<y m:b+y", "m", {"b": None, "x": IMPORTED, "y": IMPORTED, "m": None}),
        # what is done here on top of it is ours
        ("a<b x<y m:b+y m<c", "c", {"b": None, "x": IMPORTED, "y": IMPORTED, "m": None, "c": None}),
        # a merge over there is none of ours, and no merge of ours afterwards brings it again
        (
            "a<b x<y x<z n:y+z m:b+n a<d o:m+d",
            "o",
            {"b": None, "d": None, "m": None} | dict.fromkeys("xyzn", IMPORTED),
        ),
        # once more, what was done there since
        (
            "a<b x m:b+x x<y n:m+y",
            "n",
            {"b": None, "m": None, "n": None, "x": IMPORTED, "y": IMPORTED},
        ),
        # begun there, but what we have was merged into it: it descends from both
        (
            "a<b x<y k:y+b k<z m:b+z",
            "m",
            {"b": None, "k": None, "z": None, "x": IMPORTED, "y": IMPORTED},
        ),
        # an octopus
        ("a<b x y m:b+x+y", "m", {"b": None, "m": None, "x": IMPORTED, "y": IMPORTED}),
        # cut: nobody knows where this began
        ("a b:lost+a b<c x<y m:c+y", "m", {"c": None, "x": None, "y": None}),
    ],
)
def test_the_merge_is_a_change_and_what_it_brought_is_none(
    graph: str, tip: str, expected: dict[str, Any]
) -> None:
    found = reasons(imported(graph, [], tip))

    assert found == expected


def test_before_the_first_deployment_all_is_as_it_was() -> None:
    found = derive(
        [*commits("a<b x<y m:b+y m<c"), *deploys("Mon 10:00 eu m \n Wed 10:00 eu c")], Rules()
    )

    assert reasons(found) == dict.fromkeys("bxym", "first_deployment") | {"c": None}


def test_what_was_deployed_over_there_was_a_change() -> None:
    table = "Mon 10:00 eu x \n Tue 10:00 eu y \n Wed 10:00 eu m"

    found = derive([*commits("a<b x<y<z m:b+z"), *deploys(table)], Rules())

    shipped = {key: one.reason for (_, key), one in found.shipped.items()}
    assert shipped == {
        "x": "first_deployment", "y": None, "z": IMPORTED, "a": None, "b": None, "m": None,
    }  # fmt: skip


def test_a_pull_request_that_brings_it_is_the_change_and_has_its_own_commits() -> None:
    graph = changed(commits("a<b x<y b<c n:c+y m:b+n"), x={"authored_at": at("Mon 00:00")})
    one = pull(1, "Tue 10:00", by="m", of="x y c n", first_commit_at=at("Mon 00:01"))

    found = imported(graph, [one], "m")

    assert reasons(found) == {"b": None, "#1": None, "x": IMPORTED, "y": IMPORTED}
    c = next(row for row in graph if row.sha == "c").authored_at
    assert c
    assert found.shipped["shop", "#1"].starts == (int(c.timestamp()) * 1_000_000,)


def test_one_that_brings_nothing_else_starts_at_its_merge() -> None:
    one = pull(1, "Tue 10:00", by="m", of="x y", first_commit_at=at("Mon 00:01"))

    sent = imported("a<b x<y m:b+y", [one], "m").shipped["shop", "#1"]

    assert (sent.reason, sent.at_merge) == (None, True)


def test_what_a_source_says_was_merged_there_is_ours() -> None:
    pulls = [pull(1, "Tue 10:00", by="y", of="y"), pull(2, "Tue 12:00", by="m", of="x y")]

    found = reasons(imported("a<b x<y m:b+y", pulls, "m"))

    assert found == {"b": None, "x": IMPORTED, "#1": None, "#2": None}


def test_other_roots_that_nobody_merged_are_as_they_were() -> None:
    one = pull(1, "Tue 10:00", by="s", of="x y")

    sent = imported("a<b<s x<y", [one], "s").shipped["shop", "#1"]

    assert (sent.reason, sent.at_merge) == (None, False)
