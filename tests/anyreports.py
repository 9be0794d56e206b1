"""Strategies for reports of any kind, as far as outputs must stand them."""

from datetime import UTC, datetime

from example_reports import (
    FOUR,
    NO_SOURCE,
    THIRTEEN,
    WEEK,
    figure,
    frequency,
    proportion,
    report,
    single_weeks,
)
from hypothesis import strategies as st

from vpemetrics.metrics.figures import Figure, Unit, WindowRef
from vpemetrics.reports.model import FailureRow, Problem, Report

CADENCES = st.sampled_from([None, "daily", "weekly", "monthly", "less than monthly"])
RATES = ("change_fail_rate", "change_fail_rate_with_suspected", "deployment_rework_rate")

names = st.text(st.characters(codec="utf-8"), max_size=90)
counts = st.integers(0, 10**9)
lengths = st.floats(0, 1e9)
amounts = st.floats(0, 1e6)


@st.composite
def proportions(draw: st.DrawFn, metric: str, window: WindowRef) -> Figure:
    n = draw(counts)
    k = draw(st.integers(0, n))
    limits = tuple(sorted((draw(st.floats(0, 1)), draw(st.floats(0, 1)))))
    return proportion(
        metric,
        window,
        k,
        n,
        (limits[0], limits[1]) if n else None,
        note=draw(st.sampled_from([None, NO_SOURCE])),
        beside={"suspected_by_chance": draw(st.floats(0, 1)), "failed_not_forward": draw(counts)},
        excluded={draw(names): draw(counts)},
    )


@st.composite
def durations(draw: st.DrawFn, metric: str, window: WindowRef) -> Figure:
    few = draw(st.lists(lengths, max_size=5))
    low, high = sorted((draw(lengths), draw(lengths)))
    return figure(
        metric,
        window,
        None if few else draw(lengths),
        Unit.SECONDS,
        limits=(None if draw(st.booleans()) else low, None if draw(st.booleans()) else high),
        n=len(few) or draw(counts),
        deployments=draw(counts),
        values=sorted(few),
        beside={"open": draw(counts), "longest": draw(lengths), "starts_at_merge": draw(counts)},
        note=draw(st.none() | names),
    )


@st.composite
def reports(draw: st.DrawFn) -> Report:
    figures: list[Figure] = []
    for window in (WEEK, FOUR, THIRTEEN):
        kinds = {kind: draw(amounts) for kind in ("forward", "stale", "failed_attempts")}
        figures += [
            frequency(window, draw(st.none() | counts), beside=kinds, note=draw(CADENCES)),
            draw(durations("change_lead_time", window)),
            draw(durations("failed_deployment_recovery_time", window)),
            draw(proportions("share_within_24h", window)),
            *(draw(proportions(metric, window)) for metric in RATES),
        ]
    failure = st.builds(
        FailureRow,
        service=names,
        deployment=names,
        started_at=st.integers(0, 2**31).map(lambda at: datetime.fromtimestamp(at, UTC)),
        recovery_time=st.none() | lengths,
        open=st.booleans(),
        grade=st.sampled_from("ABCD"),
        evidence=names,
        incidents=st.lists(names, max_size=3).map(tuple),
    )
    problem = st.builds(
        Problem,
        reason=names,
        count=counts,
        examples=st.lists(names, max_size=5).map(tuple),
        remedy=st.none() | names,
    )
    return report(
        [*figures, *single_weeks(draw(st.lists(st.none() | counts, max_size=25)))],
        organisation=draw(names),
        summary=draw(names),
        failures=draw(st.lists(failure, max_size=8)),
        problems=draw(st.lists(problem, max_size=6)),
        bots=draw(counts),
        waiting=draw(counts),
        notes=draw(st.lists(names, max_size=2)),
        reliability=draw(st.none() | names),
    )
