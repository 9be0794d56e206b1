"""Who doubts a number on the first screen gets that very number explained."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from shutil import copy
from typing import Any, NamedTuple

import pytest
from builders import deploy
from demonstration import made
from measuring import collected, shipping
from sample import files
from stored import SOURCE, empty_store

from vpemetrics.collectors.files.reading import read
from vpemetrics.config.load import load
from vpemetrics.explain.rendering import render, render_json
from vpemetrics.metrics.evaluate import FIVE, RECOVERY
from vpemetrics.records import AnyRecord, Coverage, CoverageKind
from vpemetrics.reports import jsonreport, terminal
from vpemetrics.reports.model import Report
from vpemetrics.rules import Rules
from vpemetrics.store import Store
from vpemetrics.usecases import demo
from vpemetrics.usecases.explain import explain
from vpemetrics.usecases.reporting import Asked, report
from vpemetrics.window import parse_week


class History(NamedTuple):
    """A store, how to read it, and how many weeks the report shows beside the last one."""

    store: Store
    rules: Rules
    asked: Asked
    weeks: int


@contextmanager
def holding(*records: AnyRecord) -> Iterator[Store]:
    with empty_store() as store:
        store.save(SOURCE, records)
        yield store


def weekly() -> list[AnyRecord]:
    """Four changes a day on four days a week, for half a year."""
    days = (f"{day}{week} 1{n}:00" for week in range(1, 27) for n, day in enumerate(DAYS))
    lines = [f"{day} {hours}h ann" for day in days for hours in (3, 9, 20, 50)]
    return [*shipping("\n".join(lines)), *collected("Mon-4 00:00", "Mon27 09:00")]


DAYS = ("Mon", "Tue", "Wed", "Thu")


def old() -> list[AnyRecord]:
    """Deployments that ended forty weeks ago."""
    lines = "\n".join(f"Tue{week} 10:00 {30 + week}h ann" for week in (1, 2, 3, 5, 6))
    return [*shipping(lines), *collected("Mon-40 00:00", "Thu46 09:00")]


def never() -> list[AnyRecord]:
    """One deployment, longer ago than any report looks."""
    return [deploy("d1", "Mon1 10:00", None), *collected("Mon1 00:00", "Thu80 09:00")]


HISTORIES = {
    "weekly": (weekly, 4),
    "ended long ago": (old, 52),
    "ended before that": (never, 52),
}


@pytest.fixture(scope="module", params=[*HISTORIES, "sample", "service of it", "demo", "its team"])
def history(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[History]:
    with ExitStack() as stack:
        if request.param in HISTORIES:
            records, weeks = HISTORIES[request.param]
            store = stack.enter_context(holding(*records()))
            yield History(store, Rules(), Asked(), weeks)
        elif request.param in ("sample", "service of it"):
            store = stack.enter_context(empty_store())
            store.save_all(read(files()))
            rules = load(files() / "vpemetrics.toml", {}).rules()
            one = request.param != "sample"
            asked = Asked(service="notifications") if one else Asked()
            yield History(store, rules, asked, 13 if one else 4)
        else:
            copied = copy(made().folder / demo.STORE, tmp_path_factory.mktemp("demo"))
            store = stack.enter_context(Store.open(Path(copied)))
            asked = Asked() if request.param == "demo" else Asked(team="storefront")
            yield History(store, demo.rules_of(made().folder), asked, 4)


def shown(of: Report, metric: str) -> dict[str, Any]:
    """The figure of the longer window in the report's JSON, or of a still longer one of its own."""
    figures = json.loads(jsonreport.render(of))["figures"]
    scope, end = of.scope.model_dump(), of.headline.end.isoformat()
    ours = [
        one
        for one in figures
        if (one["metric"], one["scope"], one["window"]["end"]) == (metric, scope, end)
    ]
    return min(ours, key=lambda one: one["window"]["start"])


@pytest.mark.slow
def test_the_figure_explained_is_the_one_that_the_report_shows(history: History) -> None:
    printed = report(history.store, history.rules, history.asked)

    length = printed.headline.end - printed.headline.start
    assert length.days == 7 * history.weeks
    for metric in FIVE:
        found = explain(history.store, history.rules, metric, history.asked)
        stated = json.loads(render_json(found))["figure"]
        wanted = shown(printed, metric)

        assert stated | {"signal": None} == wanted | {"signal": None}  # which weeks alone have
        weeks = 13 if metric == RECOVERY and history.weeks < 13 else history.weeks
        assert found.choice.startswith(f"The {weeks} weeks that the report shows beside ")


def test_a_longer_window_than_usual_is_explained_with_the_words_of_the_report() -> None:
    with holding(*old()) as store:
        head = " ".join(terminal.render(report(store, Rules())).split())
        told = " ".join(render(explain(store, Rules(), "change_lead_time")).split())

    why = "52 weeks, as deployments are lately less than monthly"
    assert why in head
    assert why.replace(", ", " that the report shows beside 2027-W01, ") in told
    assert "That week alone: --week 2027-W01" in told


def test_a_window_that_is_asked_for_is_explained_without_another() -> None:
    week = Asked(window=parse_week("2027-W01"))
    with holding(*old()) as store:
        found = explain(store, Rules(), "change_lead_time", week)

    assert found.choice == ""
    assert found.figure is not None
    assert found.figure.window.label == "2027-W01"
    assert found.hints == ("The report's 52 weeks: --from 2026-01-12 --to 2027-01-11",)


def test_recovery_points_to_all_that_the_report_shows_of_it() -> None:
    with holding(*weekly()) as store:
        default = explain(store, Rules(), RECOVERY)
        week = explain(store, Rules(), RECOVERY, Asked(window=parse_week("2026-W35")))

    four = "The report's 4 weeks: --from 2026-08-03 --to 2026-08-31"
    quarter = "The report's 13 weeks: --from 2026-06-01 --to 2026-08-31"
    assert default.hints == (four, "That week alone: --week 2026-W35")
    assert week.hints == (four, quarter)


def test_without_an_incident_source_recovery_has_the_window_of_all_others() -> None:
    commits = [CoverageKind.DEPLOYMENTS]
    told = [one for one in weekly() if not isinstance(one, Coverage)]
    with holding(*told, *collected("Mon-4 00:00", "Mon27 09:00", *commits)) as store:
        found = explain(store, Rules(), RECOVERY)
        printed = report(store, Rules())

    assert found.figure == printed.figure(RECOVERY, printed.headline)
    assert shown(printed, RECOVERY)["note"] == "no incident source"
