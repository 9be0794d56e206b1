"""Moments that cannot be: a mistyped year would decide which week is the last."""

from collections.abc import Iterable, Iterator
from datetime import datetime

import numpy as np

from vpemetrics.errors import FixInput
from vpemetrics.record_columns import RecordColumns
from vpemetrics.records import AnyRecord, Change, Coverage, Deployment, Incident
from vpemetrics.window import CLOCK_DIFFERENCE, format_instant, from_micros, to_micros

_HAPPENED: dict[type[AnyRecord], tuple[str, ...]] = {
    Deployment: ("finished_at",),
    Change: ("merged_at",),
    Incident: ("detected_at", "impact_started_at"),
    Coverage: ("end",),
}


def skip_future(found: Iterable[RecordColumns], now: datetime) -> Iterator[RecordColumns]:
    """The records; FixInput at the first that tells of what is yet to come.

    A day is allowed for, because clocks differ.
    """
    limit = to_micros(now + CLOCK_DIFFERENCE)
    for told in found:
        late = [
            (int(row), at, name)
            for at, name in enumerate(_HAPPENED.get(told.record, ()))
            for row in np.flatnonzero(told.moments[name] > limit)[:1]
        ]
        if late:
            row, _, name = min(late)
            (record,) = told.take([row]).records()
            moment = from_micros(int(told.moments[name][row]))
            raise FixInput(
                f"{record.KIND} {record.key}: {name} is {format_instant(moment)}, which is yet "
                "to come; nothing was saved. Correct it and import again."
            )
        yield told
