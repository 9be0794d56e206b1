"""The coverage of an import: the stretches of time its files speak for."""

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from vpemetrics.records import Coverage, CoverageKind, Sourced
from vpemetrics.window import from_micros, midnight

EVERYTHING = "*"

_SECOND = timedelta(seconds=1)
_KINDS = {kind.value: kind for kind in CoverageKind}


class Covering(Protocol):
    """Sees the records of an import and knows in the end what they cover."""

    def see(self, kind: str, records: Iterable[Sourced]) -> None:
        """Notes some records of a kind."""
        ...

    def stretches(self) -> Iterator[Sourced]:
        """Yield the stretches that are covered, once all records have passed."""
        ...


class Whole:
    """A range of dates that was announced, for every kind and every source there is a file of."""

    def __init__(
        self, dates: tuple[date, date], zone: str, kinds: Collection[str], source: str
    ) -> None:
        self._start, self._end = (from_micros(midnight(day, zone)) for day in dates)
        # A file without rows says that nothing happened, in the name of the import.
        self._seen = {(source, kind) for kind in kinds}

    def see(self, kind: str, records: Iterable[Sourced]) -> None:
        """Notes the sources of some records."""
        self._seen.update((source, kind) for source, _ in records)

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
    Incidents speak from the first to the last of any service: to end with a service's own last
    one would count its deployments up to a failure and no further, and make it fail too often.
    Rows without a time or a place cover nothing. `silent` covers nothing at all, for an
    import that says itself what it covers.
    """

    def __init__(self, *, silent: bool) -> None:
        self._silent = silent
        self._spans: dict[tuple[str, str, str], tuple[datetime, datetime]] = {}

    def see(self, kind: str, records: Iterable[Sourced]) -> None:
        """Notes the times and places of some records."""
        if self._silent or kind not in _KINDS:
            return
        moment_of, scopes_of = _MOMENT[kind], _SCOPES[kind]
        for source, record in records:
            moment = moment_of(record)
            if moment is not None:
                for scope in scopes_of(record):
                    self._stretch((source, kind, scope), moment)

    def stretches(self) -> Iterator[Sourced]:
        """The spans, by source, kind and scope."""
        together: dict[str, tuple[datetime, datetime]] = {}
        for (source, kind, _), span in self._spans.items():
            if kind == CoverageKind.INCIDENTS:
                first, last = together.get(source, span)
                together[source] = min(first, span[0]), max(last, span[1])
        for (source, kind, scope), span in sorted(self._spans.items()):
            first, last = together[source] if kind == CoverageKind.INCIDENTS else span
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

    def _stretch(self, key: tuple[str, str, str], moment: datetime) -> None:
        span = self._spans.get(key)
        if span is None:
            self._spans[key] = (moment, moment)
        elif moment < span[0]:
            self._spans[key] = (moment, span[1])
        elif moment > span[1]:
            self._spans[key] = (span[0], moment)


def _deployed_place(deployment: Any) -> tuple[str, ...]:
    place = deployment.service or deployment.repository
    return (place,) if place else ()


# When a record happened, and of which services or repositories it speaks.
_MOMENT: dict[str, Callable[[Any], datetime | None]] = {
    CoverageKind.COMMITS: lambda commit: commit.committed_at or commit.authored_at,
    CoverageKind.PULL_REQUESTS: lambda change: (
        change.merged_at or change.closed_at or change.created_at
    ),
    CoverageKind.DEPLOYMENTS: lambda deployment: deployment.finished_at or deployment.started_at,
    CoverageKind.RUNS: lambda run: run.finished_at or run.started_at,
    CoverageKind.INCIDENTS: lambda incident: incident.detected_at or incident.impact_started_at,
}
_SCOPES: dict[str, Callable[[Any], tuple[str, ...]]] = {
    CoverageKind.COMMITS: lambda commit: (commit.repository,),
    CoverageKind.PULL_REQUESTS: lambda change: (change.repository,),
    CoverageKind.DEPLOYMENTS: _deployed_place,
    CoverageKind.RUNS: lambda run: (run.repository,),
    CoverageKind.INCIDENTS: lambda incident: incident.service,
}
