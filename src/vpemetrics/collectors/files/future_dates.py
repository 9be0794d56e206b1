"""Moments that cannot be: a mistyped year would decide which week is the last."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from vpemetrics.errors import FixInput
from vpemetrics.records import Change, Coverage, Deployment, Incident, Sourced
from vpemetrics.window import CLOCK_DIFFERENCE, format_instant

_HAPPENED = {
    Deployment: ("finished_at",),
    Change: ("merged_at",),
    Incident: ("detected_at", "impact_started_at"),
    Coverage: ("end",),
}


def skip_future(records: Iterable[Sourced], now: datetime) -> Iterator[Sourced]:
    """The records; FixInput at the first that tells of what is yet to come.

    A day is allowed for, because clocks differ.
    """
    limit = now + CLOCK_DIFFERENCE
    for source, record in records:
        for name in _HAPPENED.get(type(record), ()):
            moment = getattr(record, name)
            if moment is not None and moment > limit:
                raise FixInput(
                    f"{record.KIND} {record.key}: {name} is {format_instant(moment)}, which is yet "
                    "to come; nothing was saved. Correct it and import again."
                )
        yield source, record
