"""The demo's organisation, collected from a GitHub instead of files, comes to the same."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import stored
from demonstration import CALENDAR
from github_server.from_records import as_told, world_of
from github_server.server import SimulatedGitHub

from vpemetrics.config.load import FILE_NAME, load
from vpemetrics.config.sources import configured_sources
from vpemetrics.demo.acme import BEGINS, ZONE
from vpemetrics.demo.files import RecordFiles
from vpemetrics.demo.history import looked_at, records
from vpemetrics.demo.settings import RECORDS, configuration, objectives
from vpemetrics.records import (
    AnyRecord,
    Coverage,
    CoverageKind,
    Deployment,
    Incident,
    Triage,
)
from vpemetrics.reports.model import Report
from vpemetrics.store import Store
from vpemetrics.usecases.collecting import collect
from vpemetrics.usecases.reporting import report
from vpemetrics.window import from_micros, midnight

pytestmark = pytest.mark.slow

FILES = f"""
[sources.acme]
type = "files"
path = "{RECORDS}"
"""
GITHUB = """
[sources.acme]
type = "github"
url = "{url}"
token = "env:TOKEN"
repositories = ["acme/*"]
since = 2025-07-14
incidents = {{ labels = ["incident"], repositories = ["acme/incidents"] }}

[[sources.acme.deployments]]
from = "environments"
repositories = ["acme/shop"]
environment = '(?P<service>[^/]+)/(?P<environment>.+)'

[[sources.acme.deployments]]
from = "environments"
"""


class Collected(NamedTuple):
    """One organisation as one source told it."""

    report: Report
    lineage: stored.Stored
    names: dict[str, str]
    """Deployments and incidents by what both sources know of them."""


@pytest.fixture(scope="module")
def from_files(tmp_path_factory: pytest.TempPathFactory) -> Collected:
    folder = _laid_out(tmp_path_factory.mktemp("files"), FILES)
    with RecordFiles(folder / RECORDS) as files:
        for record in _told():
            files.write(record)
    return _collected(folder)


@pytest.fixture(scope="module")
def from_github(tmp_path_factory: pytest.TempPathFactory) -> Collected:
    world = world_of(_told(), incidents_in="acme/incidents")
    with SimulatedGitHub(world, clock=_clock) as github:
        folder = _laid_out(tmp_path_factory.mktemp("github"), GITHUB.format(url=github.url))
        return _collected(folder)


def _told() -> Iterator[AnyRecord]:
    """What GitHub can tell of the organisation; it knows no week that was not collected."""
    for record in as_told(records(CALENDAR)):
        if not isinstance(record, Coverage | Triage):
            yield record
    begin = from_micros(midnight(BEGINS, ZONE))
    for kind in CoverageKind:
        yield Coverage(source="acme", scope="*", kind=kind, start=begin, end=_clock())


def _clock() -> datetime:
    return looked_at(CALENDAR)


def _laid_out(folder: Path, source: str) -> Path:
    head, _, services = configuration(CALENDAR).partition("# Its records")
    services = services.partition("[[service]]")[2]
    text = f"{head}{source}\n[[service]]{services}"
    (folder / FILE_NAME).write_text(text, encoding="utf-8")
    (folder / "slo.csv").write_text(objectives(), encoding="utf-8")
    return folder


def _collected(folder: Path) -> Collected:
    settings = load(folder / FILE_NAME, {})
    (source,) = configured_sources(settings)
    rules = settings.rules()
    with Store.open(folder / "vpemetrics.db") as store:
        result = collect(
            store,
            source,
            rules,
            clock=_clock,
            warn=pytest.fail,
            announce=lambda _: None,
            progress=lambda *_: None,
            environ={"TOKEN": "ghp_example"},
        )
        assert result.error is None
        made = report(store, rules)
        return Collected(made, stored.read(store), dict(_names(store)))


def _names(store: Store) -> Iterator[tuple[str, str]]:
    for _, record in (*store.records(Incident.KIND), *store.records(Deployment.KIND)):
        match record:
            case Incident():
                yield record.id, f"incident {record.id.partition('#')[2] or record.id[4:]}"
            case Deployment():
                times = f"{record.started_at} to {record.finished_at}"
                yield record.id, f"{record.environment}, {times}"


def test_all_figures_are_the_same(from_files: Collected, from_github: Collected) -> None:
    assert from_github.report.figures == from_files.report.figures
    assert len(from_files.report.figures) > 300


def test_all_charts_and_signals_are_the_same(from_files: Collected, from_github: Collected) -> None:
    assert from_github.report.charts == from_files.report.charts


def test_all_deployments_are_of_the_same_kind(
    from_files: Collected, from_github: Collected
) -> None:
    assert kinds(from_github) == kinds(from_files)


def kinds(one: Collected) -> dict[str, list[tuple[str, ...]]]:
    return {
        service: [(made.kind, str(made.unplanned), *_named(one, made.parts)) for made in deployed]
        for service, deployed in one.lineage.deployments.items()
    }


def test_all_changes_shipped_with_the_same_deployment(
    from_files: Collected, from_github: Collected
) -> None:
    assert shipped(from_github) == shipped(from_files)


def shipped(one: Collected) -> dict[tuple[str, str], tuple[Any, ...]]:
    return {
        place: (*_named(one, sent.deployment), sent.starts, sent.first_at, sent.reason)
        for place, sent in one.lineage.shipped.items()
    }


def test_all_failures_have_the_same_cause(from_files: Collected, from_github: Collected) -> None:
    assert causes(from_github) == causes(from_files)
    assert {grade for _, _, grade, *_ in causes(from_files)} == set("ABCDE")


def causes(one: Collected) -> list[tuple[Any, ...]]:
    return sorted(
        (
            piece.service,
            _named(one, piece.deployment),
            piece.grade,
            piece.what,
            one.names.get(piece.incident or "", ""),
            _named(one, piece.by),
            piece.counts,
        )
        for piece in one.lineage.evidence
    )


def _named(one: Collected, parts: stored.Parts) -> tuple[str, ...]:
    return tuple(sorted(one.names[part] for part in parts))
