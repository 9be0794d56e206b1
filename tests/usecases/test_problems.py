"""Problems in the data that a report names, each with the smallest data that has it."""

from dataclasses import replace
from pathlib import Path

import pytest

from vpemetrics.records import (
    AnyRecord,
    AuthorKind,
    Change,
    Coverage,
    CoverageKind,
    Deployment,
    Incident,
    Repository,
    Status,
)
from vpemetrics.rules import Rules, Service
from vpemetrics.store import Store
from vpemetrics.usecases.files import import_files
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
    author_kind=AuthorKind.PERSON,
    merged_at=parse_instant("2026-09-02T09:00:00Z"),
)
UNFINISHED = replace(deployment("u", 2), finished_at=None)
FAILED = replace(UNFINISHED, status=Status.FAILED)
STARTED = replace(UNFINISHED, started_at=parse_instant("2026-09-02T12:00:00Z"))
NOWHERE = replace(deployment("n", 2), service=None, repository=None)
MAIN = Repository(id="1", name="acme/all", default_branch="main")
ODD = [
    replace(UNTIMED, id=f"acme/all#{number}", number=number, title=title, base_branch=branch)
    for number, (title, branch) in enumerate(
        [
            ("Backporting the fix of carts to our oldest friends", "release-1"),
            ("Backporting the fix of carts to our oldest friends", "main"),
            ("Mend carts", "release-1"),
        ]
    )
]
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
        ("no_time", 1, (), [deployment("a", 1), UNFINISHED, *EVERYTHING]),
        ("no_time", 1, (), [deployment("a", 1), FAILED, *EVERYTHING]),
        ("no_finish", 1, (), [deployment("a", 1), STARTED, *EVERYTHING]),
        ("no_place", 1, (), [deployment("a", 1), NOWHERE, *EVERYTHING]),
        ("backports_not_understood", 1, (), [deployment("a", 1), MAIN, *ODD, *EVERYTHING]),
        (
            "ends_before_start",
            1,
            (),
            [
                deployment("a", 1),
                Incident(id="i", service=("Shop",), detected_at=END, resolved_at=BEGIN),
                *EVERYTHING,
            ],
        ),
        (
            "no_beginning",
            1,
            (),
            [deployment("a", 1), Incident(id="i", resolved_at=BEGIN), *EVERYTHING],
        ),
        (
            "near_names",
            1,
            (),
            [deployment("a", 1, "check-out"), deployment("b", 2, "Check_Out"), *EVERYTHING],
        ),
        (
            "near_names",  # an incident of nearly a service
            1,
            (),
            [
                deployment("a", 1, "check-out"),
                Incident(id="i", service=("checkout",), detected_at=BEGIN),
                *EVERYTHING,
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


@pytest.mark.parametrize("reason", ["no_time", "no_place"])
def test_a_remedy_fits_where_the_records_came_from(tmp_path: Path, reason: str) -> None:
    lost = UNFINISHED if reason == "no_time" else NOWHERE
    with Store.open(tmp_path / "x.db") as store:
        store.save("here", [deployment("a", 1), lost, *EVERYTHING])
        imported = remedy(store, reason)
        store.note_collection("here", BEGIN, END, None)

        collected = remedy(store, reason)

    assert "import them again" in imported
    assert "collect again" in collected


@pytest.mark.parametrize(
    ("services", "lines"),
    [
        ((), '[[service]], name = "check-out", sources = ["checkout"]'),
        (("checkout",), 'add to the [[service]] named "checkout": sources = ["check-out"]'),
    ],
)
def test_the_lines_that_make_one_service_of_two_names(
    tmp_path: Path, services: tuple[str, ...], lines: str
) -> None:
    declared = tuple(Service(name=name) for name in services)
    broken = Incident(id="i", service=("checkout",), detected_at=BEGIN)
    with Store.open(tmp_path / "x.db") as store:
        store.save("files", [deployment("a", 1, "check-out"), broken, *EVERYTHING])

        assert lines in remedy(store, "near_names", declared)


def test_imports_whose_authors_earlier_lists_judged_are_named(tmp_path: Path) -> None:
    (tmp_path / "pull_requests.csv").write_text("id,repository,author\n1,acme/all,ada\n")
    records: list[AnyRecord] = [deployment("a", 1), *EVERYTHING]
    asked = Asked(window=WEEK)
    with Store.open(tmp_path / "x.db") as store:
        store.save("here", records)
        import_files(store, [tmp_path / "pull_requests.csv"], Rules(), warn=print, progress=print)

        same = report(store, Rules(), asked).problems
        found = report(store, Rules(agents=("ada",)), asked).problems
        (named,) = (p.examples for p in found if p.reason == "other_author_lists")

    assert "other_author_lists" not in {problem.reason for problem in same}
    assert named == ("pull_requests of files",)


def test_a_deployment_without_a_finish_counts_at_its_start(tmp_path: Path) -> None:
    with Store.open(tmp_path / "x.db") as store:
        store.save("files", [deployment("a", 1), STARTED, *EVERYTHING])

        found = report(store, Rules(), Asked(window=WEEK)).figure("deployment_frequency")

    assert found is not None
    assert found.n == 2


def remedy(store: Store, reason: str, services: tuple[Service, ...] = ()) -> str:
    problems = report(store, Rules(services=services), Asked(window=WEEK)).problems
    return next(problem.remedy or "" for problem in problems if problem.reason == reason)
