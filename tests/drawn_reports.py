"""Reports with all that charts draw, made up: a busy organisation, and what is odd or missing."""

from collections.abc import Sequence
from datetime import date, timedelta

from example_reports import (
    ACME,
    FOUR,
    HOUR,
    WEEK,
    figure,
    full_week,
    proportion,
    report,
    single_weeks,
    weeks_to,
)

from vpemetrics.metrics.charts import Chart, ChartKind, Point
from vpemetrics.metrics.figures import Figure, Scope, Unit, WindowRef
from vpemetrics.metrics.history import WITHIN
from vpemetrics.metrics.intervals import wilson
from vpemetrics.metrics.samples import ChartSamples, Distribution, Recovery, ServiceWeeks
from vpemetrics.metrics.signals import chart
from vpemetrics.reports.model import Report

COUNTS = (
    33, 40, 47, 34, 46, 52, 41, 47, 29, 41, 45, 46, 53, 40, 47, 34, 41, 54, 46, 41, 47, 40, 41, 40,
    48, 49,
)  # fmt: skip
EARLIER = (38, 44, 41, 36, 45, 43, 39, 47, 42, 40, 37, 46, 41, 44, 38, 43, 45, 40, 36, 42, 41, 47,
           39, 44, 40, 43)  # fmt: skip


def week_points(counts: Sequence[int | None]) -> tuple[Point, ...]:
    """Weekly counts up to the report's week; None is a week that was not collected."""
    points = []
    for ago, n in enumerate(reversed(counts)):
        start = WEEK.start - timedelta(weeks=ago)
        year, week, _ = start.isocalendar()
        value = None if n is None else float(n)
        points.append(Point(label=f"{year}-W{week:02d}", start=start, value=value, n=n))
    return tuple(reversed(points))


def deployments_chart(counts: Sequence[int | None], steps: Sequence[date] = ()) -> Chart:
    return chart("deployment_frequency", ACME, ChartKind.XMR, week_points(counts), steps)


def stretches_chart(went_well: Sequence[int | None], scope: Scope = ACME) -> Chart:
    """Stretches between failures that end a week apart, the last one running."""
    ends = [WEEK.end - timedelta(weeks=ago + 1) for ago in reversed(range(len(went_well)))]
    points = [
        Point(label=f"{on}", start=on, value=None if n is None else float(n), hollow=on == ends[-1])
        for on, n in zip(ends, went_well, strict=True)
    ]
    return chart("change_fail_rate", scope, ChartKind.G, points)


def block(ago: int) -> WindowRef:
    end = WEEK.end - timedelta(weeks=4 * ago)
    return weeks_to(WindowRef(start=end - timedelta(weeks=1), end=end, label="week"), 4)


def rate(metric: str, window: WindowRef, k: int, n: int) -> Figure:
    found = wilson(k, n)
    limits = (found.low or 0.0, found.high or 1.0) if found else None
    return proportion(metric, window, k, n, limits)


def blocks() -> list[Figure]:
    """Five blocks before the headline's; the first was not collected whole."""
    found: list[Figure] = []
    medians = (21.5, 26.0, 22.3, 24.9)
    for ago, median in zip((4, 3, 2, 1), medians, strict=True):
        low, high, n = (median - 5) * HOUR, (median + 9) * HOUR, 190 + 7 * ago
        found += [
            figure(
                "change_lead_time", block(ago), median * HOUR, Unit.SECONDS, limits=(low, high), n=n
            ),
            rate("share_within_24h", block(ago), n // 2 + ago, n),
            rate("change_fail_rate", block(ago), 4 + ago, 160 + ago),
            rate("deployment_rework_rate", block(ago), 6 + ago, 170),
        ]
    return [
        figure("change_lead_time", block(5), None, Unit.SECONDS, n=88, partial=True),
        figure("share_within_24h", block(5), None, Unit.PROPORTION, n=88, k=41, partial=True),
        figure("change_fail_rate", block(5), None, Unit.PROPORTION, n=70, k=2, partial=True),
        figure("deployment_rework_rate", block(5), None, Unit.PROPORTION, n=75, k=4, partial=True),
        *found,
    ]


def distribution(seconds: Sequence[float], window: WindowRef = FOUR) -> Distribution:
    ascending = sorted(seconds)
    return Distribution(
        window=window,
        n=len(ascending),
        within={name: sum(s <= most for s in ascending) for name, most in WITHIN.items()},
        seconds=tuple(ascending),
    )


def recovery(days_ago: int, hours: float, *, open_: bool = False) -> Recovery:
    on = WEEK.end - timedelta(days=days_ago)
    return Recovery(service="checkout", on=on, seconds=hours * HOUR, open=open_)


def history(services: Sequence[str] = ("checkout", "search", "accounts")) -> ChartSamples:
    return ChartSamples(
        lead_times=distribution([0.4 * HOUR * 1.031**n for n in range(214)]),
        recoveries=tuple(
            [recovery(170 - 6 * n, 0.1 * 1.25 ** (n % 23)) for n in range(28)]
            + [recovery(1, 19, open_=True)]
        ),
        since=WEEK.end - timedelta(weeks=26),
        services=tuple(
            ServiceWeeks(
                service=name,
                weeks=tuple(None if n in (3, 4) else (n * (at + 3)) % 11 for n in range(26)),
            )
            for at, name in enumerate(services)
        ),
    )


def drawn_week() -> Report:
    """A busy organisation with half a year behind it."""
    week = full_week()
    provisional = [
        one.model_copy(update={"provisional": one.metric.endswith("rate") and one.window == FOUR})
        for one in week.figures
    ]
    return week.model_copy(
        update={
            "figures": (*provisional, *blocks()),
            "history": history(),
            "charts": (
                deployments_chart([*EARLIER, *COUNTS[:-2], 71, 49]),
                stretches_chart([21, 40, 8, 33, 17, 25, None, 12, 30, 19, 6]),
            ),
        }
    )


def hardly_anything() -> Report:
    """One new service with three deployments and two changes."""
    scope = Scope(kind="service", name="pilot")
    few = [5.0 * HOUR, 70.0 * HOUR]
    return report(
        [
            *single_weeks([None] * 20 + [1, 0, 0, 1, 0], scope=scope),
            figure("deployment_frequency", WEEK, 1, Unit.PER_WEEK, scope, n=1),
            figure("change_lead_time", FOUR, None, Unit.SECONDS, scope, n=2, values=few),
            proportion("share_within_24h", FOUR, 1, 2, (0.09, 0.91), scope),
            proportion("change_fail_rate", FOUR, 1, 3, (0.06, 0.79), scope),
            proportion("deployment_rework_rate", FOUR, 0, 3, (0.0, 0.56), scope),
        ],
        scope=scope,
        services=(1, 1),
        incidents=None,
    ).model_copy(
        update={
            "history": ChartSamples(
                lead_times=distribution(few),
                recoveries=(),
                since=WEEK.end - timedelta(weeks=26),
                services=(ServiceWeeks(service="pilot", weeks=(None,) * 21 + (1, 0, 0, 1, 1)),),
            )
        }
    )
