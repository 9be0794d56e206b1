"""The gitops source on 20 months of GOV.UK, against the same months as imported records.

Bare mirrors lie in the folder that VPEMETRICS_MIRRORS names, as OWNER+NAME/repo; nothing is
written to them. What differs from the imported records is known, one by one, and named here.
"""

import os
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from govuk import needs_govuk, records
from subprocesses import PATIENCE

from vpemetrics.collectors.gitops.options import Options
from vpemetrics.collectors.registry import collector_of
from vpemetrics.config.sources import Source
from vpemetrics.metrics.dora import reference
from vpemetrics.metrics.figures import Figure
from vpemetrics.records import (
    AnyRecord,
    AuthorKind,
    Change,
    Commit,
    Coverage,
    CoverageKind,
    Deployment,
)
from vpemetrics.rules import Rules
from vpemetrics.store import Store
from vpemetrics.usecases.collecting import collect
from vpemetrics.usecases.reporting import Asked, report
from vpemetrics.window import Window, from_micros

pytestmark = [pytest.mark.needs_mirrors, pytest.mark.needs_shared_data, needs_govuk]

RULES = Rules(bots=("govuk-ci*", "dependabot*", "github-actions*", "*[bot]"))
SUBJECT = r"Update (?P<service>\S+) image tag to (?P<version>\S+) for (?P<environment>\S+)"
IMPORTED = ("frontend", "publishing-api", "signon")
OTHERS = ("whitehall", "collections", "email-alert-api")
KINDS = ("forward", "redeploy", "rollback", "stale")
EVERYTHING = Window(start=date(2025, 1, 1), end=date(2026, 8, 22))
WINDOWS = (EVERYTHING, Window(start=date(2026, 6, 1), end=date(2026, 7, 1)))

# Git has no author of a pull request, so that of its oldest commit decides (rule C3).
# The imported rows took the lowest commit of the branch for the oldest, where people had put
# a bot's below their own, and did not know `Renovate Bot` by its address.
AUTHORS = {
    "alphagov/publishing-api#3276": AuthorKind.AUTOMATION,
    "alphagov/publishing-api#3054": AuthorKind.PERSON,
    "alphagov/frontend#4925": AuthorKind.PERSON,
    "alphagov/frontend#4899": AuthorKind.PERSON,
}
# In integration two judgements differ, and so in no figure: a minute between commits was 59
# seconds between their merges, and a version was wanted twice within three seconds.
STATUSES = {"publishing-api:integration:a57366e40233", "signon:integration:ac2faefa1b7e"}


def mirror(name: str) -> Path:
    path = Path(os.environ.get("VPEMETRICS_MIRRORS", "")) / f"alphagov+{name}" / "repo"
    if "VPEMETRICS_MIRRORS" not in os.environ or not path.is_dir():
        pytest.skip(f"no mirror of alphagov/{name} where VPEMETRICS_MIRRORS says")
    return path


def no_news(*_: object) -> None:
    """Nobody listens."""


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store into which the mirrors were collected."""
    names = (*IMPORTED, *OTHERS)
    folders = [mirror(name) for name in names]
    options = Options(
        path=str(mirror("govuk-helm-charts")),
        subject=SUBJECT,
        only=names,
        since=EVERYTHING.start,
        clones=str(folders[0]).replace(names[0], "{service}"),
        repository="alphagov/{service}",
    )
    store = Store.open(tmp_path_factory.mktemp("gitops") / "store.db")
    done = collect(
        store,
        Source(name="govuk", collector=collector_of("gitops"), options=options, folder=Path()),
        RULES,
        clock=lambda: datetime.now(UTC),
        warn=no_news,
        progress=no_news,
    )
    assert done.error is None, done.error
    return store


@pytest.fixture(scope="module")
def merges() -> Mapping[str, datetime]:
    """When each commit of the configuration came to its branch, by its first digits."""
    done = subprocess.run(
        ["git", "-C", mirror("govuk-helm-charts"), "log", "--format=%H %ct %P"],
        text=True,
        capture_output=True,
        check=True,
        timeout=PATIENCE,
    )
    graph = {sha: more for sha, *more in map(str.split, done.stdout.splitlines())}
    line = [next(iter(graph))]
    while len(graph[line[-1]]) > 1:
        line.append(graph[line[-1]][1])
    found: dict[str, str] = {}
    for own in reversed(line):
        inside = [own]
        while inside:
            sha = inside.pop()
            if sha not in found:
                found[sha] = graph[own][0]
                inside += graph[sha][1:]
    return {sha[:12]: datetime.fromtimestamp(int(at), UTC) for sha, at in found.items()}


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory, merges: Mapping[str, datetime]) -> Store:
    """A store of the imported records, mended where it is known that they differ."""

    def mended() -> Iterator[AnyRecord]:
        for record in records():
            if isinstance(record, Deployment):
                yield replace(record, finished_at=merges[record.id[-12:]])
            elif isinstance(record, Change) and record.id in AUTHORS:
                yield replace(record, author_kind=AUTHORS[record.id])
            else:
                yield record
        for kind in (CoverageKind.DEPLOYMENTS, CoverageKind.COMMITS, CoverageKind.PULL_REQUESTS):
            start, end = map(from_micros, (EVERYTHING.start_at, EVERYTHING.end_at))
            yield Coverage(source="files", scope="*", kind=kind, start=start, end=end)

    store = Store.open(tmp_path_factory.mktemp("imported") / "store.db")
    store.save("files", mended())
    return store


def figures(store: Store, service: str, window: Window) -> list[Figure]:
    found = report(store, RULES, Asked(window=window, service=service)).figures
    return [without_first(one) for one in found]


def without_first(figure: Figure) -> Figure:
    """The figure without how much the first deployment shipped: all of history, or 14 months."""
    left = {why: n for why, n in figure.excluded.items() if why != "first_deployment"}
    return figure.model_copy(update={"excluded": left})


@pytest.mark.parametrize("window", WINDOWS, ids=["20 months", "June"])
@pytest.mark.parametrize("service", IMPORTED)
def test_every_figure_is_that_of_the_imported_records(
    collected: Store, imported: Store, service: str, window: Window
) -> None:
    found, expected = figures(collected, service, window), figures(imported, service, window)

    assert [one for one, other in zip(found, expected, strict=True) if one != other] == []
    assert len(found) > 50


@pytest.mark.parametrize(
    ("service", "kinds", "people", "bots", "hours"),
    [
        ("frontend", (789, 3, 2, 5), 516 + 2, 491 - 2, 23.118),  # two authors, see AUTHORS
        ("publishing-api", (688, 5, 5, 5), 499, 523, 22.959),
        ("signon", (455, 1, 2, 17), 63, 1052, 15.502),
    ],
)
def test_the_totals_are_those_of_an_independent_reading(
    collected: Store, service: str, kinds: tuple[int, ...], people: int, bots: int, hours: float
) -> None:
    frequency, lead = (
        next(
            one
            for one in figures(collected, service, EVERYTHING)
            if one.metric == metric and one.window == reference(EVERYTHING)
        )
        for metric in ("deployment_frequency", "change_lead_time")
    )

    assert tuple(frequency.beside[kind] for kind in KINDS) == kinds
    assert (lead.n, lead.excluded["automation"]) == (people, bots)
    assert round((lead.value or 0) / 3600, 3) == hours


def test_deployments_are_the_imported_ones_some_seconds_later(
    collected: Store, merges: Mapping[str, datetime]
) -> None:
    found = {one.id: one for one in deployments(collected) if one.service in IMPORTED}
    expected = {one.id: one for one in records() if isinstance(one, Deployment)}

    assert found.keys() == expected.keys()
    differing = [id_ for id_, one in expected.items() if said(found[id_]) != said(one)]
    assert set(differing) == STATUSES
    delays = [(moment(found[id_]) - moment(one)).total_seconds() for id_, one in expected.items()]
    assert 1 <= min(delays) <= max(delays) <= 16


def said(one: Deployment) -> tuple[object, ...]:
    return one.service, one.environment, one.version, one.commit_sha, one.status, one.repository


def moment(one: Deployment) -> datetime:
    assert one.finished_at
    return one.finished_at


def deployments(store: Store) -> list[Deployment]:
    return [one for _, one in store.records("deployments") if isinstance(one, Deployment)]


def test_changes_are_the_imported_ones(collected: Store) -> None:
    changes = (one for _, one in collected.records("pull_requests") if isinstance(one, Change))
    found = {one.id: one for one in changes}

    for record in records():
        if isinstance(record, Change):
            one = found[record.id]
            assert one.merge_commit_sha == record.merge_commit_sha
            assert set(one.commit_shas) == set(record.commit_shas)
            assert one.merged_at == record.merged_at


@pytest.fixture(scope="module")
def shas(collected: Store) -> set[str]:
    return {one.sha for _, one in collected.records("commits") if isinstance(one, Commit)}


@pytest.mark.parametrize("service", OTHERS)
def test_other_services_are_collected_without_trouble(
    collected: Store, shas: set[str], service: str
) -> None:
    own = [one for one in deployments(collected) if one.service == service]
    live = [one for one in own if one.environment == "production"]

    assert len(live) > 200
    assert Counter(one.commit_sha is None for one in live)[True] < len(live) / 10
    assert {one.commit_sha for one in own if one.commit_sha} <= shas
