"""Shapes of answers: what is taken out of them, and what is said of what is odd."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from vpemetrics.collectors.http import (
    BadAnswer,
    Malformed,
    SourceProblem,
    check_not_all_bad,
    check_record,
    count,
    given,
    moment,
    name_of,
    need,
    part,
    parts,
    read_shape,
)
from vpemetrics.records import AnyRecord, Change, Deployment, Status

NOTHING: Any = {}
A_LIST: Any = []
MOMENT = datetime(2026, 3, 2, 9, tzinfo=UTC)
CHANGE: Any = Change(
    id="acme/shop#1", repository="acme/shop", number=1, title="Add", created_at=MOMENT
)
DEPLOYMENT: Any = Deployment(id="1", environment="live", status=Status.FAILED)


def test_what_is_as_it_should_be_is_taken() -> None:
    node = {
        "n": 7,
        "t": "x",
        "o": {"nodes": [{}, None, {"a": 1}]},
        "at": "2026-03-02T10:00:00+01:00",
    }

    assert need(node, "n", int) == 7
    assert given(node, "none", str) is None
    assert part(node, "none") == {}
    assert parts(part(node, "o"), "nodes") == [{}, {"a": 1}]
    assert parts(node, "none") == []
    assert moment(node, "at") == MOMENT
    assert moment(node, "none") is None


@pytest.mark.parametrize(
    ("read", "why"),
    [
        (lambda: need({}, "id", int), "has no `id`"),
        (lambda: need({"id": None}, "id", int), "has no `id`"),
        (lambda: need({"id": ""}, "id", str), "has no `id`"),
        (lambda: need({"id": True}, "id", int), "has true or false as `id`, where a number"),
        (lambda: need({"id": "7"}, "id", int), "has a text as `id`, where a number belongs"),
        (lambda: need({"id": 10**30}, "id", int), "has a number beyond all bounds as `id`"),
        (lambda: part({"a": [1]}, "a"), "has a list as `a`, where an object belongs"),
        (lambda: parts({"a": [{}, 7]}, "a"), "has a number in `a`, where an object belongs"),
        (lambda: moment({"at": "soon"}, "at"), "has no time as `at`, but 'soon'"),
        (lambda: moment({"at": "2026-03-02T09:00:00"}, "at"), "has no time as `at`"),
        (lambda: moment({"at": "0001-01-01T00:00:00+14:00"}, "at"), "has no time as `at`"),
        (lambda: moment({"at": 7}, "at"), "has a number as `at`, where a text belongs"),
        (lambda: count({"n": "many"}, "n"), "has a text as `n`, where a number belongs"),
    ],
)
def test_what_is_odd_is_said(read: Callable[[], object], why: str) -> None:
    with pytest.raises(Malformed) as caught:
        read()

    assert str(caught.value).startswith(why)


@pytest.mark.parametrize(
    ("told", "number"), [(None, 0), (7, 7), ("7", 7), ("2,500+", 2500), ("40,000", 40_000)]
)
def test_a_count_may_be_in_words(told: object, number: int) -> None:
    assert count({"n": told}, "n") == number


@pytest.mark.parametrize(
    ("node", "name"),
    [
        ({"number": 12, "id": "PR_1"}, "acme/shop#12"),
        ({"number": "x", "url": "https://github.com/acme/shop/pull/12"}, "acme/shop#12"),
        ({"iid": 3}, "acme/shop#3"),
        ({"id": "DE_1"}, "a thing of acme/shop with id DE_1"),
        ({"id": {}, "databaseId": 7}, "a thing of acme/shop with id 7"),
        ({"id": "a\nb" + "x" * 999}, f"a thing of acme/shop with id a b{'x' * 77}"),
        ({}, "a thing of acme/shop"),
        ([1], "a thing of acme/shop"),
    ],
)
def test_a_thing_is_named_as_well_as_it_can_be(node: object, name: str) -> None:
    assert name_of(node, "a thing", "acme/shop") == name


@pytest.mark.parametrize(
    ("read", "why"),
    [
        (lambda: NOTHING["id"], "has no `id`"),
        (lambda: need({}, "id", int), "has no `id`"),
        (
            lambda: A_LIST.get("x"),
            "is not as it is documented (AttributeError in test_http_shapes.py:",
        ),
        (lambda: int("x"), "is not as it is documented (ValueError in test_http_shapes.py:"),
    ],
)
def test_errors_of_reading_are_named_with_their_place(read: Callable[[], Any], why: str) -> None:
    with pytest.raises(BadAnswer) as caught:
        read_shape(read, server="Forge", about="acme/shop#12")

    assert str(caught.value).startswith(f"Forge's answer about acme/shop#12 {why}")


def test_problems_of_asking_are_not_taken_for_those_of_reading() -> None:
    def read() -> None:
        raise SourceProblem("refused")

    with pytest.raises(SourceProblem, match=r"^refused$"):
        read_shape(read, server="Forge", about="x")


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (replace(CHANGE, title=["a"]), "makes a list of the field title, which is a text"),
        (replace(CHANGE, number=True), "makes true or false of the field number"),
        (replace(CHANGE, number="7"), "makes a text of the field number, which is a number"),
        (replace(CHANGE, additions=2**60), "has a number beyond all bounds"),
        (replace(CHANGE, labels=("a", 7)), "makes a number of the field labels"),
        (replace(CHANGE, labels="ab" * 400), "has a text of 800 characters"),
        (replace(CHANGE, created_at=datetime(2026, 3, 2)), "has a time without a zone"),  # noqa: DTZ001 (that is what is odd)
        (replace(CHANGE, commit_shas=("a b",)), "has no commit for the field commit_shas"),
        (replace(CHANGE, id=None), "makes null of the field id, which is a text"),
        (replace(DEPLOYMENT, status="failed"), "makes a text of the field status"),
        (replace(DEPLOYMENT, environment="x" * 601), "has a text of 601 characters"),
    ],
)  # fmt: skip
def test_a_record_holds_what_its_fields_are_for(record: AnyRecord, why: str) -> None:
    with pytest.raises(Malformed) as caught:
        check_record(record)

    assert str(caught.value).startswith(why)


@pytest.mark.parametrize(
    "record", [CHANGE, DEPLOYMENT, replace(CHANGE, title="x" * 5000, labels=("a",), number=None)]
)
def test_a_record_as_it_should_be_is_itself(record: AnyRecord) -> None:
    assert check_record(record) is record


def test_several_of_which_none_can_be_read_are_no_odd_ones() -> None:
    bad = {str(number): f"no {number}" for number in range(5)}

    check_not_all_bad(6, bad)
    check_not_all_bad(4, dict(list(bad.items())[:4]))
    with pytest.raises(BadAnswer, match="no 0, and so it is with the 4 others of its page"):
        check_not_all_bad(5, bad)
