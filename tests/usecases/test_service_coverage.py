"""Covered time by service, and declared holes in it."""

from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path

import pytest

from vpemetrics.lineage.services import Services
from vpemetrics.records import Coverage, CoverageKind
from vpemetrics.rules import Rules
from vpemetrics.store import Store
from vpemetrics.usecases.files import import_files
from vpemetrics.usecases.service_coverage import coverage_by_service, without_declared_holes
from vpemetrics.window import from_micros


def day(number: int) -> datetime:
    return datetime(2026, 3, number, tzinfo=UTC)


def stretch(
    first: int, last: int, *, scope: str = "*", source: str = "s", from_rows: bool = False
) -> Coverage:
    return Coverage(
        source=source, scope=scope, kind=CoverageKind.DEPLOYMENTS,
        start=day(first), end=day(last), from_rows=from_rows,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("declared", "rows", "left"),
    [
        ([], (1, 9), [(1, 9)]),
        ([(1, 9)], (3, 5), [(3, 5)]),
        ([(1, 3), (6, 9)], (2, 8), [(2, 3), (6, 8)]),
        ([(1, 3), (6, 9)], (4, 5), []),  # all of it in the hole
        ([(6, 9), (1, 3)], (4, 12), [(6, 12)]),  # what comes after all of them is no hole
        ([(4, 6), (8, 9)], (1, 20), [(1, 6), (8, 20)]),  # nor is what came before
        ([(1, 2), (3, 4), (5, 6)], (1, 9), [(1, 2), (3, 4), (5, 9)]),
        ([(1, 3), (3, 5)], (1, 5), [(1, 5)]),
    ],
)
def test_rows_cover_no_declared_hole(
    declared: list[tuple[int, int]], rows: tuple[int, int], left: list[tuple[int, int]]
) -> None:
    told = [stretch(*span) for span in declared]

    found = without_declared_holes([*told, stretch(*rows, scope="shop", from_rows=True)])

    assert [(one.start, one.end) for one in found if one.from_rows] == [
        (day(first), day(last)) for first, last in left
    ]


def test_only_the_same_source_and_scope_declare_its_holes() -> None:
    rows = stretch(1, 9, scope="shop", from_rows=True)
    others = [
        stretch(1, 2, source="t"), stretch(5, 6, source="t"),
        stretch(1, 2, scope="search"), stretch(5, 6, scope="search"),
    ]  # fmt: skip

    assert rows in list(without_declared_holes([rows, *others]))
    own = [stretch(1, 2, scope="shop"), stretch(5, 6)]
    assert rows not in list(without_declared_holes([rows, *own]))


def test_imports_cover_the_same_in_any_order(tmp_path: Path) -> None:
    spans = ((1, 3), (6, 9), None)
    covered = {order: imported(tmp_path, order) for order in permutations(spans)}

    assert set(covered.values()) == {((1, 3), (6, 20))}


def imported(folder: Path, order: tuple[tuple[int, int] | None, ...]) -> tuple[object, ...]:
    """The days that the shop is covered on after two declared imports and one of mere rows."""
    with Store.open(folder / f"{order}.db") as store:
        for number, covers in enumerate(order):
            first, last = covers or (2, 20)
            path = folder / "deployments.csv"
            path.write_text(
                "id,environment,status,service,finished_at\n"
                f"{number}a,production,succeeded,shop,{day(first):%Y-%m-%d}T00:00:00Z\n"
                f"{number}b,production,succeeded,shop,{day(last - 1):%Y-%m-%d}T23:59:59Z\n"
            )
            import_files(
                store, [path], Rules(), covers=covers and (day(first).date(), day(last).date()),
                warn=pytest.fail, progress=lambda _: None,
            )  # fmt: skip
        spans = coverage_by_service(store.coverage(), Services(Rules()), {"shop": []})
    found = spans["shop", CoverageKind.DEPLOYMENTS]
    return tuple((from_micros(start).day, from_micros(end).day) for start, end in found)
