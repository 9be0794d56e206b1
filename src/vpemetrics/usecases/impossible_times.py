"""Times at which nothing can have happened, as sources tell them: unknown from here on, and said.

A file says what is wrong with it, and a person mends it; what git or a server tells is as it is.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from vpemetrics.config.secrets import mask
from vpemetrics.record_columns import RecordColumns, are_no_times, instant_fields
from vpemetrics.records import AnyRecord, Change, Commit, Deployment, Incident, Run
from vpemetrics.window import format_instant, why_no_time

_EVENTS: Final[tuple[type[AnyRecord], ...]] = (Change, Commit, Deployment, Incident, Run)
"""The records of events; the times of decisions and of coverage are our own."""
_MOMENTS: Final = {kind: tuple(sorted(instant_fields(kind))) for kind in _EVENTS}
_FEW: Final = 3


class ImpossibleTimes:
    """The times of one collection that are before all that is counted, or yet to come."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._named: list[str] = []
        self.met = 0
        """The number of them."""

    def cleared(self, records: Iterable[AnyRecord]) -> Iterator[AnyRecord]:
        """The records, such times in them unknown; each is remembered."""
        for record in records:
            odd: dict[str, Any] = {
                name: None
                for name in _MOMENTS.get(type(record), ())
                if (at := getattr(record, name)) is not None and why_no_time(at, self._now)
            }
            if odd:
                self._note(record, odd)
            yield replace(record, **odd) if odd else record

    def cleared_in(self, told: RecordColumns) -> RecordColumns:
        """The same for records that are columns."""
        odd = (are_no_times(moments, self._now).any() for moments in told.moments.values())
        if told.record not in _MOMENTS or not any(odd):
            return told
        records = self.cleared(told.records())
        return RecordColumns.of(told.record, list(zip(told.sources, records, strict=True)))

    def text(self) -> str:
        """A sentence for a person."""
        times, are = ("1 time", "is") if self.met == 1 else (f"{self.met:,} times", "are")
        more = self.met - len(self._named)
        rest = f" and {more:,} more" if more else ""
        return f"{times} {are} taken for unknown: {'; '.join(self._named)}{rest}"

    def _note(self, record: AnyRecord, names: Iterable[str]) -> None:
        for name in names:
            self.met += 1
            if len(self._named) < _FEW:
                at = getattr(record, name)
                why = why_no_time(at, self._now)
                kind = record.KIND.replace("_", " ")
                self._named.append(
                    mask(f"{name} of {record.key} ({kind}) is {format_instant(at)}, which {why}")
                )


def covered_too_far(latest: datetime) -> str:
    """The words for data that is said to reach into the future."""
    return (
        f"the store says that it holds all until {format_instant(latest)}, which is yet to come: a "
        "clock was wrong, so that counts until now only"
    )
