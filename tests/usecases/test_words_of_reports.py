"""The words better and worse are said when they may be, by any report of any weeks (rule L4)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from builders import MONDAY, commits, decision, deploy, incident, pull
from hypothesis import given
from hypothesis import strategies as st
from measuring import collected, weeks
from stored import SOURCE, empty_store
from tiers import law

from vpemetrics.metrics.charts import Baseline, Point, Signal
from vpemetrics.metrics.dora import MAY_RISE
from vpemetrics.metrics.points import RATES
from vpemetrics.records import AnyRecord, Coverage, CoverageKind, Deployment, Incident
from vpemetrics.reports import jsonreport, terminal
from vpemetrics.reports.model import Report
from vpemetrics.reports.registry import FORMATS, render_as
from vpemetrics.rules import Rules, Service
from vpemetrics.usecases.reporting import Asked, report
from vpemetrics.window import parse_quarter

RULES = Rules(organisation="Acme")


ALL = collected("Mon-12 00:00", "Mon30 00:00")
SHOP = collected("Mon-12 00:00", "Mon30 00:00", scope="shop")


def week_of_shop(number: int, count: int, failed: int) -> list[Deployment | Incident]:
    """So many deployments, an hour apart, of which the first ones failed."""
    made = [deploy(f"{number}.{at}", f"Mon{number} 00:30", None) for at in range(count)]
    return [
        *(
            replace(one, finished_at=one.finished_at + timedelta(hours=at))
            for at, one in enumerate(made)
            if one.finished_at
        ),
        *(
            incident(f"I{number}.{at}", f"Sun{number} 00:00", cause_deployment=f"{number}.{at}")
            for at in range(min(failed, count))
        ),
    ]


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[int, int]]:
    """Deployments and failures week by week: half a year of one level, and some weeks of any."""
    level, failing = draw(st.integers(4, 12)), draw(st.integers(0, 5))
    first = [(level + draw(st.integers(-1, 1)), failing) for _ in range(26)]
    return first + draw(
        st.lists(st.tuples(st.integers(0, 24), st.integers(0, 9)), min_size=8, max_size=20)
    )


def justified(found: Report, signal: Signal, metric: str) -> bool:
    """Whether a signal is one: recomputed from the chart's points, by the rules' own words."""
    (chart,) = [one for one in found.charts if one.metric == metric]
    by = chart.baseline
    assert by.complete
    assert by.last
    points = [p for p in chart.points if p.start > by.last and p.value is not None and not p.hollow]
    # Gaps between failures of one day begin on the same date.
    places = [at for at, point in enumerate(points) if point.start == signal.start]
    return any(_justifies(points[: at + 1], signal, by) for at in places)


def _justifies(points: Sequence[Point], signal: Signal, by: Baseline) -> bool:
    values = [point.value for point in points if point.value is not None]
    if values[-1] != signal.value:
        return False
    if signal.rule == "outside_limits":
        return (by.high is not None and values[-1] > by.high) or (
            by.low is not None and values[-1] < by.low
        )
    center = by.center or 0.0
    last = values[-8:]
    return len(last) == 8 and (all(v > center for v in last) or all(v < center for v in last))


@pytest.mark.slow
@law(6, soak=500)
@given(histories())
def test_no_word_without_a_signal_and_none_that_is_better_while_provisional(
    history: list[tuple[int, int]],
) -> None:
    last = len(history)
    with empty_store() as store:
        for at, (n, k) in enumerate(history, 1):
            store.save(SOURCE, week_of_shop(at, n, k))
        store.save(SOURCE, collected("Mon 00:00", f"Mon{last + 1} 00:00"))
        found = report(store, RULES, Asked(window=weeks(last)))

    for chart in found.charts:
        for signal in chart.signals:
            assert justified(found, signal, chart.metric)
            (point,) = [p for p in chart.points if p.start == signal.start and not p.hollow][:1]
            assert not (point.provisional and signal.word == "better")
    for figure in found.figures:
        if figure.signal in ("better", "worse"):
            inside = [
                signal.word
                for chart in found.charts
                if chart.metric == figure.metric
                for signal in chart.signals
                if figure.window.start <= signal.start < figure.window.end
            ]
            assert figure.signal in inside
            assert not ("worse" in inside and figure.signal == "better")
        assert not (figure.provisional and figure.signal == "better")
        assert not (figure.provisional and figure.metric not in MAY_RISE)
    text = terminal.render(found)
    said = {str(signal.word) for chart in found.charts for signal in chart.signals}
    assert {word for word in ("better", "worse") if word in text} <= said
    assert jsonreport.read(jsonreport.render(found)) == found


def quarters(
    first: tuple[int, int], second: tuple[int, int], coverage: Sequence[Coverage] = ALL
) -> Report:
    """Two quarters of so many deployments a week and failures a month."""
    with empty_store() as store:
        start = MONDAY + timedelta(weeks=4)  # 30 March 2026: the next quarter begins on Wednesday
        assert start.date().isoformat() == "2026-03-30"
        every = [first] * 17 + [second] * 14
        made = [
            one
            for at, (n, k) in enumerate(every, -12)
            for one in week_of_shop(at, n, k if at % 4 == 0 else 0)
        ]
        store.save(SOURCE, [*made, *coverage])
        rules = replace(RULES, services=(Service(name="shop"), Service(name="cart")))
        return report(store, rules, Asked(window=parse_quarter("2026-Q2")))


@pytest.mark.parametrize(
    ("first", "second", "word"),
    [
        ((10, 1), (10, 1), "usual"),
        ((10, 0), (10, 10), "worse"),
        ((10, 10), (10, 0), "better"),
        ((1, 1), (1, 0), "usual"),  # fewer than 20 deployments in a quarter
    ],
)
def test_quarters_differ_where_the_wide_interval_says_so(
    first: tuple[int, int], second: tuple[int, int], word: str
) -> None:
    found = quarters(first, second)

    (one,) = [one for one in found.comparisons if one.metric == "change_fail_rate"]
    assert one.word == word
    assert found.before
    assert (one.before.label, one.after.label, found.before.label) == (
        "2026-Q1",
        "2026-Q2",
        "2026-Q1",
    )
    assert (f"Change fail rate: {word} than in 2026-Q1." in found.summary) == (word != "usual")


@pytest.mark.parametrize(
    ("coverage", "compared"),
    [
        (ALL, {"change_lead_time", "share_within_24h", *RATES}),
        # Nothing of the cart since the second quarter began, or until it did.
        ([*SHOP, *collected("Mon-12 00:00", "Wed5 00:00", scope="cart")], set()),
        ([*SHOP, *collected("Wed5 00:00", "Mon30 00:00", scope="cart")], set()),
        # No incidents of the first quarter.
        (
            [
                *collected("Mon-12 00:00", "Mon30 00:00", CoverageKind.DEPLOYMENTS),
                *collected("Wed5 00:00", "Mon30 00:00", CoverageKind.INCIDENTS),
            ],
            {"change_lead_time", "share_within_24h"},
        ),
    ],
)
def test_what_was_not_collected_is_no_difference(
    coverage: list[Coverage], compared: set[str]
) -> None:
    found = quarters((10, 10), (10, 0), coverage)

    assert {one.metric for one in found.comparisons} == compared
    assert ("Change fail rate: better" in found.summary) == compared.issuperset(RATES)


@pytest.mark.slow
def test_a_report_of_a_week_compares_no_quarters() -> None:
    with empty_store() as store:
        found = report(store, RULES, Asked(window=weeks(1)))

    assert (found.before, found.comparisons) == (None, ())


@pytest.mark.slow
@pytest.mark.parametrize("format_", FORMATS)
def test_no_output_names_a_person(format_: str) -> None:
    people = ("ada.lovelace", "grace.hopper", "joan.clarke")
    records: list[AnyRecord] = [
        *commits("a<b<c<d"),
        *(
            pull(at, f"Mon 0{at}:00", sha, sha, author=person)
            for at, (sha, person) in enumerate(zip("bcd", people, strict=True), 1)
        ),
        deploy("d1", "Sun0 10:00", "a"),
        deploy("d2", "Mon 10:00", "d"),
        incident("I1", "Mon 11:00"),
        replace(decision("I1", "link", cause="d2"), who="katherine.johnson", why="seen by alan"),
        *collected("Mon-4 00:00", "Mon2 00:00"),
    ]
    with empty_store() as store:
        store.save(SOURCE, records)
        found = report(store, RULES, Asked(window=weeks(1)))

    written = render_as(found, format_).decode()
    assert "Acme" in written
    for person in (*people, "katherine.johnson", "alan"):
        assert person not in written
