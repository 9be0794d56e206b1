"""MetricFacts into figures: which metrics, for which windows and scopes, a report is made of."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from vpemetrics.metrics.dora import ENOUGH, cadence, lead_times
from vpemetrics.metrics.facts import MetricFacts, Slice
from vpemetrics.metrics.figures import Figure, Scope
from vpemetrics.metrics.registry import METRICS
from vpemetrics.window import Micros, Window, date_of, previous, week_of, weeks_before, weeks_in

HISTORY_WEEKS: Final = 26
BLOCK_WEEKS: Final = 4
RECOVERY: Final = "failed_deployment_recovery_time"
RECOVERY_WEEKS: Final = 13
WEEKLY: Final = (
    "deployment_frequency",
    "change_lead_time",
    "share_within_24h",
    "change_fail_rate",
    "change_fail_rate_with_suspected",
    "deployment_rework_rate",
)
BY_BLOCK: Final = (
    "change_lead_time",
    "share_within_24h",
    "change_fail_rate",
    "deployment_rework_rate",
)
FIVE: Final = (
    "deployment_frequency",
    "change_lead_time",
    "change_fail_rate",
    "deployment_rework_rate",
    RECOVERY,
)


@dataclass(frozen=True, kw_only=True)
class Windows:
    """The window a report is about, the longer one beside it, and where its history starts."""

    main: Window
    headline: Window
    weekly: tuple[Window, ...]


def default_week(since: Micros, until: Micros, zone: str) -> Window:
    """The last complete week before `until` (rule W3); the running one if nothing is older."""
    running = week_of(date_of(until, zone), zone)
    last = previous(running)
    return running if since >= last.end_at else last


def windows(facts: MetricFacts, main: Window, scope: Scope) -> Windows:
    """The windows of a report: a week has 4, 13 or 52 weeks beside it, others stand alone.

    Four if they hold 20 lead times, else 13; 13 or 52 where the cadence is less than weekly
    (rule W3).
    """
    weekly = weeks_before(main, HISTORY_WEEKS) if main.period == "week" else main
    return Windows(
        main=main,
        headline=_headline(facts, main, scope) if main.period == "week" else main,
        weekly=tuple(week for week, _ in weeks_in(weekly)),
    )


def longest_window(facts: MetricFacts, of: Windows, scope: Scope, metric: str) -> Window:
    """The longest window over which a report shows a metric: its headline's in general.

    Recoveries are rare: beside a week they have 13 at least, if a source tells of incidents.
    """
    rare = metric == RECOVERY and of.main.period == "week"
    if not rare or of.headline.weeks >= RECOVERY_WEEKS:
        return of.headline
    quarter = weeks_before(of.main, RECOVERY_WEEKS)
    told = Slice(facts=facts, scope=scope, window=quarter).with_incidents
    return quarter if told else of.headline


def _headline(facts: MetricFacts, week: Window, scope: Scope) -> Window:
    four = Slice(facts=facts, scope=scope, window=weeks_before(week, 4))
    how_often = cadence(four)
    if how_often == "less than monthly":
        return weeks_before(week, 52)
    if how_often != "monthly" and len(lead_times(four)) >= ENOUGH:
        return four.window
    return weeks_before(week, 13)


def evaluate(
    facts: MetricFacts, of: Windows, scope: Scope, parts: Mapping[Scope, Sequence[str]]
) -> tuple[Figure, ...]:
    """The figures of a report: all metrics for its scope, the five for the scopes in it.

    `facts` are those of the scope, pooled if it has several services; `parts` are the teams and
    services in it with their services' names.
    """
    figures = [
        *_measure(facts, scope, of.main, METRICS),
        *(_measure(facts, scope, of.headline, METRICS) if of.headline != of.main else ()),
    ]
    if (longer := longest_window(facts, of, scope, RECOVERY)) not in (of.main, of.headline):
        figures += _measure(facts, scope, longer, (RECOVERY,))
    for week in of.weekly:
        if week not in (of.main, of.headline):
            figures += map(_row, _measure(facts, scope, week, WEEKLY))
    for part, services in parts.items():
        own = facts.of(services, pooled=part.kind != "service")
        for window in dict.fromkeys((of.main, of.headline)):
            figures += _measure(own, part, window, FIVE)
    return tuple(figures)


def blocks(facts: MetricFacts, of: Windows, scope: Scope) -> tuple[Figure, ...]:
    """The figures that are drawn in blocks of four weeks (rule L1); the headline's are not anew.

    The last block ends with the last complete week of the window (rule W1), the first begins no
    earlier than the window or half a year before that end.
    """
    window = of.main
    until = window.end - timedelta(days=window.end.weekday())
    last = week_of(until - timedelta(days=7), window.zone)
    count = int(max(window.weeks, HISTORY_WEEKS)) // BLOCK_WEEKS
    each = [_block(last, ago) for ago in reversed(range(count))]
    known = {(shown.start, shown.end) for shown in (of.main, of.headline)}
    return tuple(
        _row(figure)
        for block in each
        if (block.start, block.end) not in known
        for figure in _measure(facts, scope, block, BY_BLOCK)
    )


def _block(last: Window, ago: int) -> Window:
    """Four weeks, so many blocks before the one that ends with a week."""
    week = week_of(last.start - timedelta(weeks=BLOCK_WEEKS * ago), last.zone)
    return weeks_before(week, BLOCK_WEEKS)


def _row(figure: Figure) -> Figure:
    """A row of the history: only complete periods have medians and rates (rule W2)."""
    if not figure.partial:
        return figure
    return figure.model_copy(update={"value": None, "interval": None, "values": ()})


def _measure(
    facts: MetricFacts, scope: Scope, window: Window, metrics: Iterable[str]
) -> Iterable[Figure]:
    cut = Slice(facts=facts, scope=scope, window=window)
    return [METRICS[name].measure(cut) for name in metrics]
