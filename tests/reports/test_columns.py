import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from vpemetrics.reports import columns


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("checkout", 8, "checkout"),
        ("checkout", 7, "checko…"),
        ("the end", 5, "the…"),  # no blank before the ellipsis
        ("支払い", 5, "支払…"),  # two cells a character
        ("支払い", 4, "支…"),
    ],
)
def test_a_long_text_ends_in_an_ellipsis(text: str, limit: int, shown: str) -> None:
    assert columns.cut(text, limit) == shown


def test_a_name_cannot_steer_the_terminal() -> None:
    assert columns.plain("pay\x1b[31m\nments\t \u202e2") == "pay[31m ments 2"


def test_pieces_flow_onto_as_many_lines_as_they_need() -> None:
    pieces = ["coding 27%", "review 14%", "a piece longer than a line", "end"]

    assert columns.flow(pieces, " · ", 23) == [
        "coding 27% · review 14%",
        "a piece longer than a",
        "line · end",
    ]


@given(st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs"))), st.integers(4, 40))
def test_wrapped_text_keeps_to_the_limit_and_loses_nothing(text: str, limit: int) -> None:
    lines = columns.wrap(text, limit)

    assert all(cell_len(line) <= limit for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_columns_are_as_wide_as_their_longest_text() -> None:
    assert columns.align([("checkout", "19 h"), ("支払い", "3 d")]) == [
        "checkout  19 h",
        "支払い    3 d",
    ]


FETCH = "git -C '/srv/my clones/shop' fetch origin '+refs/pull/*/head:refs/pull/*/head'"


@pytest.mark.parametrize("limit", [10, 40, 60, 200])
def test_a_command_on_several_lines_does_what_it_does_on_one(limit: int) -> None:
    lines = columns.command(FETCH, limit)

    said = [printed(f"printf '%s|' {FETCH}"), printed(f"printf '%s|' {chr(10).join(lines)}")]
    assert said[0] == said[1] != ""
    longest = max(len("'+refs/pull/*/head:refs/pull/*/head'"), limit)
    assert max(map(len, lines)) <= longest


def printed(command: str) -> str:
    return subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True).stdout
