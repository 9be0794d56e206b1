"""Problems in the data that a report names, each with the smallest data that has it."""

from pathlib import Path

import pytest

from vpemetrics.records import (
    AnyRecord,
    Change,
    Coverage,
    CoverageKind,
    Deployment,
    Incident,
    Status,
)
from vpemetrics.rules import Rules, Service
from vpemetrics.store import Store
from vpemetrics.usecases.reporting import Asked, report
from vpemetrics.window import parse_instant, parse_week

WEEK = parse_week("2026-W36")
BEGIN, END = parse_instant("2026-08-31T00:00:00Z"), parse_instant("2026-09-07T00:00:00Z")


def deployment(id_: str, day: int, service: str = "shop") -> Deployment:
    return Deployment(
        id=id_,
        service=service,
        repository="acme/all",
        environment="production",
        status=Status.SUCCEEDED,
        finished_at=parse_instant(f"2026-09-0{day}T12:00:00Z"),
    )


def covered(kind: CoverageKind, scope: str = "*") -> Coverage:
    return Coverage(source="files", scope=scope, kind=kind, start=BEGIN, end=END)


EVERYTHING = (covered(CoverageKind.DEPLOYMENTS), covered(CoverageKind.INCIDENTS))
UNTIMED = Change(
    id="acme/all#1",
    repository="acme/all",
    author="ann",
    is_bot=False,
    merged_at=parse_instant("2026-09-02T09:00:00Z"),
)
TWO = (Service(name="shop"), Service(name="desk"))


@pytest.mark.parametrize(
    ("reason", "count", "services", "records"),
    [
        ("starts_at_merge", 1, (), [deployment("a", 1), deployment("b", 3), UNTIMED, *EVERYTHING]),
        ("without_paths", 2, (), [deployment("a", 1), deployment("b", 2, "desk"), *EVERYTHING]),
        ("never_deployed", 1, TWO, [deployment("a", 1), *EVERYTHING]),
        ("not_covered", 1, (), [deployment("a", 1), covered(CoverageKind.DEPLOYMENTS, "desk")]),
        (
            "incidents_not_covered",  # desk has an incident source, shop has none
            1,
            (),
            [
                deployment("a", 1),
                deployment("b", 2, "desk"),
                Incident(id="i", service=("desk",), detected_at=END),
                covered(CoverageKind.DEPLOYMENTS),
                covered(CoverageKind.INCIDENTS, "desk"),
            ],
        ),
    ],
)
def test_a_problem_in_the_data_is_named(
    tmp_path: Path,
    reason: str,
    count: int,
    services: tuple[Service, ...],
    records: list[AnyRecord],
) -> None:
    with Store.open(tmp_path / "x.db") as store:
        store.save("files", records)

        found = report(store, Rules(services=services), Asked(window=WEEK)).problems

    assert {problem.reason: problem.count for problem in found}[reason] == count
    assert all(problem.remedy for problem in found)


def test_a_service_is_not_told_of_the_problems_of_another(tmp_path: Path) -> None:
    named = Incident(id="i", service=("desk",), detected_at=END, cause_sha="f" * 40)
    with Store.open(tmp_path / "x.db") as store:
        store.save("files", [deployment("a", 1), deployment("b", 2, "desk"), named, *EVERYTHING])

        found = {
            service: {p.reason for p in report(store, Rules(), asked).problems}
            for service in ("shop", "desk")
            for asked in [Asked(window=WEEK, service=service)]
        }

    assert "named_not_shipped" in found["desk"]
    assert "named_not_shipped" not in found["shop"]
