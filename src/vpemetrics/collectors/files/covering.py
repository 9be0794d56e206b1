"""What an import covers: the stretches of time its files speak for."""

from collections.abc import Collection, Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Protocol

from vpemetrics.records import (
    AnyRecord,
    Change,
    Commit,
    Coverage,
    CoverageKind,
    Deployment,
    Incident,
    Run,
    Sourced,
)
from vpemetrics.window import from_micros, midnight

EVERYTHING = "*"

_SECOND = timedelta(seconds=1)
_KINDS = {kind.value: kind for kind in CoverageKind}


class Covering(Protocol):
    """Watches the records of an import and knows in the end what they cover."""

    def watch(self, records: Iterable[Sourced]) -> Iterator[Sourced]:
        """The records as they are."""
        ...

    def stretches(self) -> Iterator[Sourced]:
        """What is covered, once all records have passed."""
        ...


class Whole:
    """A range of dates that was announced, for every kind and every source there is a file of."""

    def __init__(
        self, dates: tuple[date, date], zone: str, kinds: Collection[str], source: str
    ) -> None:
        self._start, self._end = (from_micros(midnight(day, zone)) for day in dates)
        # A file without rows says that nothing happened, in the name of the import.
        self._seen = {(source, kind) for kind in kinds}

    def watch(self, records: Iterable[Sourced]) -> Iterator[Sourced]:
        """The records as they are."""
        for sourced in records:
            self._seen.add((sourced[0], sourced[1].KIND))
            yield sourced

    def stretches(self) -> Iterator[Sourced]:
        """The announced range, by source and kind."""
        for source, kind in sorted(self._seen):
            if kind in _KINDS:
                yield (
                    source,
                    Coverage(
                        source=source,
                        scope=EVERYTHING,
                        kind=_KINDS[kind],
                        start=self._start,
                        end=self._end,
                    ),
                )


class Spans:
    """From the first to the last row, for each kind and each service or repository.

    The end is a second after the last row, because it is not part of a stretch.
    Rows without a time or a place cover nothing. `silent` covers nothing at all, for an
    import that says itself what it covers.
    """

    def __init__(self, *, silent: bool) -> None:
        self._silent = silent
        self._spans: dict[tuple[str, str, str], tuple[datetime, datetime]] = {}

    def watch(self, records: Iterable[Sourced]) -> Iterator[Sourced]:
        """The records as they are."""
        if self._silent:
            yield from records
            return
        for sourced in records:
            self._note(*sourced)
            yield sourced

    def stretches(self) -> Iterator[Sourced]:
        """The spans, by source, kind and scope."""
        for (source, kind, scope), (first, last) in sorted(self._spans.items()):
            yield (
                source,
                Coverage(
                    source=source,
                    scope=scope,
                    kind=_KINDS[kind],
                    start=first,
                    end=last + _SECOND,
                ),
            )

    def _note(self, source: str, record: AnyRecord) -> None:
        moment = _moment(record)
        if moment is None:
            return
        for scope in _scopes(record):
            key = (source, record.KIND, scope)
            first, last = self._spans.get(key, (moment, moment))
            if not first <= moment <= last or first is last:
                self._spans[key] = (min(first, moment), max(last, moment))


def _moment(record: AnyRecord) -> datetime | None:
    """When a record happened, as far as coverage goes."""
    match record:
        case Commit():
            return record.committed_at or record.authored_at
        case Change():
            return record.merged_at or record.closed_at or record.created_at
        case Deployment() | Run():
            return record.finished_at or record.started_at
        case Incident():
            return record.detected_at or record.impact_started_at
    return None


def _scopes(record: AnyRecord) -> tuple[str, ...]:
    """The services or repositories a record speaks of."""
    match record:
        case Commit() | Change() | Run():
            return (record.repository,)
        case Deployment():
            place = record.service or record.repository
            return (place,) if place else ()
        case Incident():
            return record.service
    return ()
