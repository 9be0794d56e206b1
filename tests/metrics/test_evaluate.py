"""Which windows a report has, and that its weeks add up."""

from datetime import date, datetime

import pytest
from builders import at, deploy, incident
from measuring import BEGIN, END, collected, cutting, shipping, weeks
from stored import SOURCE, empty_store

from vpemetrics.errors import NoData
from vpemetrics.metrics.evaluate import FIVE, WEEKLY, default_week, windows
from vpemetrics.metrics.figures import Figure, Unit
from vpemetrics.metrics.registry import METRICS
from vpemetrics.records import AnyRecord, CoverageKind
from vpemetrics.reports.model import Report
from vpemetrics.rules import Rules, Service
from vpemetrics.usecases.reporting import EVERYTHING, Asked, report
from vpemetrics.window import Window, parse_instant, parse_month, to_micros, week_of

TEAMS = Rules(
    organisation="Acme",
    services=(Service(name="shop", team="till"), Service(name="cart", team="till")),
)


def reported(*records: AnyRecord, asked: Asked = EVERYTHING, rules: Rules = TEAMS) -> Report:
    """The report of records."""
    with empty_store() as store:
        store.save(SOURCE, records)
        return report(store, rules, asked)


@pytest.mark.parametrize(
    ("until", "zone", "label"),
    [
        ("Mon2 00:00", "UTC", "2026-W10"),
        ("Sun 23:59", "UTC", "2026-W09"),  # the tenth week is running
        ("Mon2 12:00", "UTC", "2026-W10"),
        ("Mon2 03:00", "America/New_York", "2026-W09"),  # where it is still Sunday
        ("Mon2 05:00", "America/New_York", "2026-W10"),
    ],
)
def test_the_default_week_is_the_last_complete_one(until: str, zone: str, label: str) -> None:
    assert default_week(0, to_micros(at(until)), zone).label == label


def test_the_default_week_follows_the_deployments_not_the_incidents() -> None:
    found = reported(
        deploy("d", "Tue 10:00", None),
        *collected(BEGIN, "Mon2 00:00", CoverageKind.DEPLOYMENTS),
        *collected(BEGIN, "Mon5 00:00", CoverageKind.INCIDENTS),
    )

    assert found.window.label == "2026-W10"
    assert found.data_as_of == at("Mon5 00:00")


def test_without_data_there_is_a_report_of_no_data() -> None:
    found = reported(asked=Asked(window=week_of(date(2026, 9, 7), "UTC")))

    assert found.data_as_of is None
    assert all(figure.value is None and figure.n is None for figure in found.figures)


def test_without_deployments_there_is_no_week_to_choose() -> None:
    quiet = collected(BEGIN, "Mon5 00:00", CoverageKind.INCIDENTS)

    with pytest.raises(NoData, match="no deployment is known"):
        reported(*quiet)


def test_deployments_of_a_collection_that_was_cut_short_choose_no_week_and_are_not_denied() -> None:
    with pytest.raises(NoData, match="deployments are known, but no collection"):
        reported(deploy("d", "Mon 10:00", None))


def test_the_running_week_is_reported_while_nothing_older_was_collected() -> None:
    since, until = (to_micros(parse_instant(f"2026-09-{day}T09:00:00Z")) for day in ("08", "10"))

    assert default_week(since, until, "UTC").label == "2026-W37"


def shipped(count: int) -> list[AnyRecord]:
    """So many changes in the first week, four a day, each with its deployment."""
    days = ("Mon", "Tue", "Wed", "Thu", "Fri")
    moments = (f"{day} {hour}:00" for day in days for hour in range(10, 14))
    return shipping(
        "\n".join(f"{when} 2h ann" for when, _ in zip(moments, range(count), strict=False))
    )


@pytest.mark.parametrize(
    ("history", "week", "since", "weeks_wide"),
    [
        (shipped(20), weeks(1), "Mon-2 00:00", 4),
        (shipped(19), weeks(1), "Mon-2 00:00", 13),  # too few for four weeks
        (shipped(20), weeks(2), "Mon-2 00:00", 4),
        (shipped(20), weeks(5), "Mon-2 00:00", 13),  # they are five weeks ago
        # Once a month: thirteen, however many changes.
        ([deploy(f"d{n}", f"Mon{n} 10:00", None) for n in (1, 5, 9)], weeks(13), BEGIN, 13),
        # Hardly ever: a year.
        ([deploy("d1", "Mon 10:00", None)], weeks(13), BEGIN, 52),
        (shipped(20), weeks(1), BEGIN, 52),  # quiet for a year until this week
    ],
)
def test_the_headline_is_as_long_as_it_takes(
    history: list[AnyRecord], week: Window, since: str | datetime, weeks_wide: int
) -> None:
    found = reported(*history, *collected(since, "Mon14 00:00"), asked=Asked(window=week))

    headline = Window(start=found.headline.start, end=found.headline.end)
    assert (headline.weeks, headline.end) == (weeks_wide, week.end)


def test_a_month_stands_alone_with_its_weeks() -> None:
    with cutting([deploy("d", "Tue 10:00", None)]) as cut:
        found = windows(cut.facts, parse_month("2026-03"), cut.scope)

    assert found.headline == found.main
    assert [week.label for week in found.weekly] == [f"2026-W{n:02d}" for n in range(9, 15)]


def test_weeks_add_up_to_their_month() -> None:
    history = [
        *shipping("Mon 10:00 2h ann\nSat 10:00 30h bot\nSun4 23:59 9h ben\nTue5 12:00 40m cyd"),
        *shipping("Sun0 13:00 1h ann\nMon 10:00 2h ann", "cart"),
        incident("I1", "Mon 11:00", "Mon 12:00", cause_deployment="shop-d1"),
        *collected(BEGIN, END),
    ]

    month = parse_month("2026-03")
    found = reported(*history, asked=Asked(window=month, drawn=False))
    whole = {
        f.metric: f for f in found.figures if f.window == found.window and f.scope == found.scope
    }
    rows = [f for f in found.figures if f.window != found.window and f.scope == found.scope]

    for metric in WEEKLY:
        of = [figure for figure in rows if figure.metric == metric]
        assert len(of) == 6
        assert sum(figure.n or 0 for figure in of) == whole[metric].n
        assert sum(figure.k or 0 for figure in of) == (whole[metric].k or 0)
    assert counted(rows, "merged") == whole["change_lead_time"].beside["merged"]
    assert counted(rows, "forward") == whole["deployment_frequency"].beside["forward"]


def counted(rows: list[Figure], what: str) -> float:
    return sum(figure.beside.get(what, 0) for figure in rows)


def test_only_complete_weeks_have_medians_and_rates_in_the_history() -> None:
    history = [
        *shipping("\n".join(f"Sun0 1{n}:00 2h ann" for n in range(9)), first="Sat0 10:00"),
        *collected(BEGIN, END),
    ]

    found = reported(*history, asked=Asked(window=parse_month("2026-03")))
    clipped = [f for f in found.figures if f.window.label == "2026-W09"]

    assert {figure.metric for figure in clipped} == set(WEEKLY)
    for figure in clipped:
        assert figure.partial
        assert (figure.value, figure.interval) == (None, None)
    assert {f.metric: f.n for f in clipped}["change_lead_time"] == 9


def test_a_window_that_was_asked_for_has_figures_over_all_it_holds() -> None:
    history = [*shipped(6), *collected(BEGIN, "Sat 00:00")]

    found = reported(*history, asked=Asked(window=weeks(1), service="shop"))
    lead = found.figure("change_lead_time")

    assert found.partial
    assert lead is not None
    assert (lead.n, lead.value, lead.partial) == (6, 7200.0, True)


def test_every_metric_is_measured_for_the_scope_and_the_five_for_its_parts() -> None:
    found = reported(*shipped(20), *collected("Mon-2 00:00", "Mon2 00:00"))

    scopes = {(f.scope.kind, f.scope.name) for f in found.figures}
    parts = {f.metric for f in found.figures if f.scope.kind != "organisation"}
    main = {f.metric for f in found.figures if f.window == found.window}

    assert scopes == {
        ("organisation", "Acme"),
        ("team", "till"),
        ("service", "shop"),
        ("service", "cart"),
    }
    assert parts == set(FIVE)
    assert main == set(METRICS)


def test_recovery_is_over_thirteen_weeks_even_beside_four() -> None:
    found = reported(*shipped(20), *collected("Mon-2 00:00", "Mon2 00:00"))

    spans = {
        (f.window.end - f.window.start).days // 7
        for f in found.figures
        if f.metric == "failed_deployment_recovery_time" and f.scope == found.scope
    }
    assert spans == {1, 4, 13}


def test_every_figure_says_what_it_is() -> None:
    found = reported(*shipped(20), *collected("Mon-2 00:00", "Mon2 00:00"))

    for figure in found.figures:
        metric = METRICS[figure.metric]
        assert (figure.definition_id, figure.unit) == (metric.definition_id, metric.unit)
        assert figure.coverage is not None
        assert figure.window.end > figure.window.start
        if figure.unit is Unit.PROPORTION and figure.value is not None:
            assert 0 <= figure.value <= 1
    assert found.window.start == date(2026, 3, 2)
