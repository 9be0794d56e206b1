"""The time after its end in which a week may turn out worse than it looks (rule L6)."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from vpemetrics.metrics.intervals import quantile
from vpemetrics.window import DAY, MISSING, SECOND, Micros, Window, week_of

LAG_WEEKS: Final = 52
ENOUGH: Final = 20
LEAST: Final[Micros] = 7 * DAY
WHILE_UNKNOWN: Final[Micros] = 14 * DAY


def wait(lags: Sequence[float]) -> Micros:
    """The time a week stays provisional, from the seconds between failures and their evidence.

    `lags` are those of the last 52 weeks, each from the finish of a failed deployment to the first
    evidence of its failure. Their 90th percentile, but at least 7 days; 14 days while there are
    fewer than 20.
    """
    late = quantile(lags, 0.9) if len(lags) >= ENOUGH else None
    if late is None:
        return WHILE_UNKNOWN
    return max(LEAST, round(late * SECOND))


def is_provisional(window: Window, data_as_of: Micros, wait: Micros) -> bool:
    """Tell whether a window meets a week that is provisional; where nothing is known, it does."""
    if data_as_of == MISSING:
        return True
    last = week_of(window.end - timedelta(days=1), window.zone)
    return data_as_of < last.end_at + wait
