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
    assert columns.aligned([("checkout", "19 h"), ("支払い", "3 d")]) == [
        "checkout  19 h",
        "支払い    3 d",
    ]
