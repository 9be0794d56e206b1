"""What is said of records that take a special way through the rules."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from builders import changed, commits, decision, deploys, incident, pull

from vpemetrics.explain.model import Explanation
from vpemetrics.explain.rendering import render
from vpemetrics.records import AnyRecord
from vpemetrics.rules import Rules
from vpemetrics.store import Store
from vpemetrics.usecases.explain import explain

# Shas are hexadecimal and long enough to be asked for.
A, B, C, D, PICK, UNSEEN = (letter * 8 for letter in "abcdef")

HISTORY: tuple[AnyRecord, ...] = (
    *changed(commits(f"{A}<{B}<{C}<{PICK} {A}<{D}"), **{PICK: {"picked_from_sha": B}}),
    pull(1, "Mon 08:00", by=B, of=B),
    pull(2, None, by=D, of=D),
    pull(3, "Mon 09:00", by=C, of=f"{B} {C}"),
    *deploys(
        f"""
        Mon 10:00 eu {A}
        Mon 12:00 eu {B}
        Mon 12:30 eu {B}       # again within the hour
        Tue 10:00 eu {C}
        Tue 12:00 eu {A}
        Tue 14:00 eu {UNSEEN}
        Tue 15:00 eu {D} in_progress
        """
    ),
    incident("I1", "Tue 10:30"),
    incident("I2", "Mon 09:00"),
    incident("I3", "Mon 09:00", service=()),
    replace(decision("I2", "reject"), who="Ada Lovelace", why="a drill"),
)


def explained(folder: Path, name: str, records: Iterable[AnyRecord] = HISTORY) -> Explanation:
    with Store.open(folder / "odd.db") as store:
        store.save("made-up", records)
        return explain(store, Rules(), name)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("d3", "a repeat of d2 within 60 minutes is the same deployment"),
        ("d4", "forward, new there and not an ancestor of what was live"),
        ("d5", "brought there earlier by d1"),
        ("d6", "its commit was not collected"),
        ("d7", "not counted"),
        (UNSEEN, "not collected: something names it"),
        (
            PICK,
            "a cherry-pick from pull request #1",
        ),  # a cherry-pick belongs to the change of its origin
        (D, "a commit of a pull request that is still open"),
        (A, "a change of its own"),
        ("#2", "open, not merged"),
        ("#3", "belongs to"),
        ("I1", "still open"),
        ("I2", "a drill"),
        ("I3", "no service with deployments is concerned"),
    ],
)
def test_an_odd_record_is_told(tmp_path: Path, name: str, line: str) -> None:
    said = " ".join(render(explained(tmp_path, name), complete=True).split())

    assert line in said


def test_a_decision_is_told_without_the_name_under_it(tmp_path: Path) -> None:
    found = explained(tmp_path, "I2")

    assert "Ada" not in found.model_dump_json()


def test_a_link_or_title_cannot_steer_the_terminal(tmp_path: Path) -> None:
    nasty = replace(
        incident("I9", "Mon 09:00"), title="\x1b[2Jgone", url="https://example.org/\x1b[31m"
    )

    assert "\x1b" not in render(explained(tmp_path, "I9", [*HISTORY, nasty]))
