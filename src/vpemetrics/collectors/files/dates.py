"""Moments that cannot be: a mistyped year would decide which week is the last."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np

from vpemetrics.errors import FixInput
from vpemetrics.record_columns import Instants, RecordColumns
from vpemetrics.records import AnyRecord, Change, Coverage, Deployment, Incident
from vpemetrics.window import (
    CLOCK_DIFFERENCE,
    FIRST_YEAR,
    MISSING,
    Micros,
    format_instant,
    from_micros,
    is_beyond_counting,
    to_micros,
)

_HAPPENED: dict[type[AnyRecord], tuple[str, ...]] = {
    Deployment: ("finished_at",),
    Change: ("merged_at",),
    Incident: ("detected_at", "impact_started_at"),
    Coverage: ("start", "end"),
}
_FIRST: Final = to_micros(datetime(FIRST_YEAR, 1, 1, tzinfo=UTC))


def check_dates(found: Iterable[RecordColumns], now: datetime) -> Iterator[RecordColumns]:
    """The records; FixInput at the first that tells of what is yet to come, or long before.

    A day is allowed for, because clocks differ.
    """
    limit = to_micros(now + CLOCK_DIFFERENCE)
    for told in found:
        odd = [
            (int(row), at, name)
            for at, name in enumerate(_HAPPENED.get(told.record, ()))
            for row in np.flatnonzero(_is_odd(told.moments[name], limit))[:1]
        ]
        if odd:
            row, _, name = min(odd)
            (record,) = told.take([row]).records()
            moment = from_micros(int(told.moments[name][row]))
            why = f"before {FIRST_YEAR}" if is_beyond_counting(moment) else "yet to come"
            raise FixInput(
                f"{record.KIND} {record.key}: {name} is {format_instant(moment)}, which is {why}; "
                "nothing was saved. Correct it and import again."
            )
        yield told


def _is_odd(moments: Instants, limit: Micros) -> Any:
    return (moments > limit) | (moments < _FIRST) & (moments != MISSING)
