"""The files of what lineage made say enough to make the figures of a report from them alone."""

import csv
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from shutil import copy
from statistics import median
from typing import NamedTuple

import pytest
from builders import commits, deploy, pull
from demonstration import made
from stored import SOURCE, empty_store

from vpemetrics.demo.acme import ENDS
from vpemetrics.metrics.facts import Slice
from vpemetrics.metrics.figures import Figure, Scope
from vpemetrics.metrics.registry import METRICS
from vpemetrics.records import AnyRecord
from vpemetrics.rules import LeadTimeStart, Rules
from vpemetrics.store import Store
from vpemetrics.usecases import demo
from vpemetrics.usecases.lineage_files import FOLDER, export_lineage
from vpemetrics.usecases.report_context import ReportContext
from vpemetrics.window import Window, parse_instant, to_micros

Row = dict[str, str]


class Exported(NamedTuple):
    """The files of a store, and the figures of a window that they are held against."""

    folder: Path
    context: ReportContext
    store: Store
    window: Window

    def rows(self, name: str, at: str, service: str) -> list[Row]:
        """The rows of a service whose moment lies in the window."""
        start, end = self.window.start_at, self.window.end_at
        return [
            row
            for row in rows_of(self.folder, name)
            if row["service"] == service and start <= micros(row[at]) < end
        ]

    def figures(self, service: str) -> dict[str, Figure]:
        facts = self.context.facts(self.store, self.window).of((service,), pooled=False)
        cut = Slice(facts=facts, scope=Scope(kind="service", name=service), window=self.window)
        return {name: metric.measure(cut) for name, metric in METRICS.items()}


def rows_of(folder: Path, name: str) -> list[Row]:
    with (folder / FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def micros(text: str) -> int:
    return to_micros(parse_instant(text))


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exported]:
    folder = tmp_path_factory.mktemp("export")
    rules = demo.rules_of(made().folder)
    with Store.open(Path(copy(made().folder / demo.STORE, folder))) as store:
        export_lineage(store, rules, folder)
        window = Window(start=date(2026, 3, 2), end=ENDS, zone=rules.zone)
        yield Exported(folder, ReportContext.load(store, rules), store, window)


@pytest.mark.slow
def test_figures_made_from_the_files_are_those_of_the_report(exported: Exported) -> None:
    services = [name for name in exported.context.services if name in exported.context.traced]
    assert len(services) > 5
    for service in services:
        found = exported.figures(service)
        kinds = exported.rows("kinds", "finished_at", service)
        counted = [row for row in kinds if row["counts"] == "true"]
        forward = [row for row in counted if row["kind"] == "forward"]
        unplanned = [row for row in counted if row["rework"]]
        failed = {
            row["deployment"]: row
            for row in exported.rows("failures", "deployed_at", service)
            if row["failure_grade"] in "ABC"
        }
        forward_failed = [row for row in failed.values() if row["kind"] == "forward"]
        lasted = [
            (micros(row["restored_at"]) - micros(row["failed_at"])) / 1e6
            for row in failed.values()
            if row["restored_at"]
        ]
        lead_times = [
            float(row["lead_time_seconds"])
            for row in exported.rows("shipped", "deployed_at", service)
            if row["counts"] == "true"
        ]

        assert found["deployment_frequency"].n == len(counted), service
        rework, fail_rate = found["deployment_rework_rate"], found["change_fail_rate"]
        assert (rework.k, rework.n) == (len(unplanned), len(counted)), service
        assert (fail_rate.k, fail_rate.n) == (len(forward_failed), len(forward)), service
        assert found["change_lead_time"].n == len(lead_times), service
        if found["change_lead_time"].value is not None:
            assert found["change_lead_time"].value == pytest.approx(median(lead_times)), service
        recovery = found["failed_deployment_recovery_time"]
        if recovery.n == len(lasted) and recovery.value is not None:  # none is open
            assert recovery.value == pytest.approx(median(lasted)), service


def test_each_commit_is_a_row_where_each_is_a_sample(tmp_path: Path) -> None:
    rules = Rules(lead_time_start=LeadTimeStart.EACH_COMMIT)
    records: list[AnyRecord] = [
        *commits("a<b<c<d"),
        deploy("d1", "Mon 10:00", "a"),
        pull(1, "Tue 10:00", "d", of="b c"),
        deploy("d2", "Wed 10:00", "d"),
    ]
    with empty_store() as store:
        store.save(SOURCE, records)
        export_lineage(store, rules, tmp_path)

    shipped = [row for row in rows_of(tmp_path, "shipped") if row["deployment"] == "d2"]
    assert [row["pull_request"] for row in shipped] == ["1", "1"]
    assert len({row["started_at"] for row in shipped}) == 2


def test_no_text_is_run_by_a_spreadsheet(tmp_path: Path) -> None:
    with empty_store() as store:
        store.save(SOURCE, [deploy("=1+1", "Mon 10:00", "a", service="@shop")])
        export_lineage(store, Rules(), tmp_path)

    (row,) = rows_of(tmp_path, "kinds")
    assert (row["service"], row["deployment"]) == ("'@shop", "'=1+1")
