"""The coverage of an import: the stretches of time its files speak for."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from typing import Final, Protocol

import numpy as np

from vpemetrics.record_columns import Instants, RecordColumns
from vpemetrics.records import Change, Coverage, CoverageKind, Sourced
from vpemetrics.window import MISSING, SECOND, Interval, from_micros, midnight

EVERYTHING = "*"

_KINDS = {kind.value: kind for kind in CoverageKind}
_REVIEWS: Final = CoverageKind.REVIEWS.value


class Covering(Protocol):
    """Sees the records of an import and knows in the end what they cover."""

    def see(self, told: RecordColumns) -> None:
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

    def see(self, told: RecordColumns) -> None:
        """Notes the sources of some records."""
        kinds = [told.record.KIND, *([_REVIEWS] if _tells_of_reviews(told) else [])]
        self._seen.update((source, kind) for source in set(told.sources) for kind in kinds)

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
        self._spans: dict[tuple[str, str, str], Interval] = {}
        self._reviewed: set[str] = set()

    def see(self, told: RecordColumns) -> None:
        """Notes the times and places of some records."""
        kind = told.record.KIND
        if self._silent or kind not in _KINDS or not len(told):
            return
        if _tells_of_reviews(told):
            self._reviewed.update(told.sources)
        moments = _first_known(told, _MOMENTS[kind])
        rows, keys = _places(told)
        numbers: dict[tuple[str, str], int] = {}
        codes = [numbers.setdefault(key, len(numbers)) for key in keys]
        spans = _spans(np.array(codes, dtype=np.int64), moments[rows], len(numbers))
        for (source, scope), span in zip(numbers, spans, strict=True):
            if scope and span is not None:
                self._stretch((source, kind, scope), span)

    def stretches(self) -> Iterator[Sourced]:
        """The spans, by source, kind and scope."""
        together: dict[str, Interval] = {}
        for (source, kind, _), span in self._spans.items():
            if kind == CoverageKind.INCIDENTS:
                first, last = together.get(source, span)
                together[source] = min(first, span[0]), max(last, span[1])
        pulls, reviewed = CoverageKind.PULL_REQUESTS, self._reviewed
        self._spans |= {
            (source, _REVIEWS, scope): span
            for (source, kind, scope), span in self._spans.items()
            if kind == pulls and source in reviewed
        }
        for (source, kind, scope), span in sorted(self._spans.items()):
            first, last = together[source] if kind == CoverageKind.INCIDENTS else span
            yield (
                source,
                Coverage(
                    source=source,
                    scope=scope,
                    kind=_KINDS[kind],
                    start=from_micros(first),
                    end=from_micros(last + SECOND),
                    from_rows=True,
                ),
            )

    def _stretch(self, key: tuple[str, str, str], span: Interval) -> None:
        first, last = self._spans.get(key, span)
        self._spans[key] = (min(first, span[0]), max(last, span[1]))


def _tells_of_reviews(told: RecordColumns) -> bool:
    """Tell whether a source of pull requests says when some of them were reviewed."""
    return told.record is Change and bool((told.moments["first_review_at"] != MISSING).any())


def _first_known(told: RecordColumns, names: Sequence[str]) -> Instants:
    """The moments of one column, or of the next where it has none."""
    found: Instants = np.full(len(told), MISSING, dtype=np.int64)
    for name in names:
        found = np.where(found == MISSING, told.moments[name], found)
    return found


def _spans(codes: Instants, moments: Instants, count: int) -> Iterator[Interval | None]:
    """The first and last moment of each code; None for one without any."""
    known = moments != MISSING
    first, last = np.full(count, _NEVER), np.full(count, MISSING)
    np.minimum.at(first, codes[known], moments[known])
    np.maximum.at(last, codes[known], moments[known])
    for start, end in zip(first.tolist(), last.tolist(), strict=True):
        yield None if end == MISSING else (start, end)


def _places(told: RecordColumns) -> tuple[slice | list[int], Iterable[tuple[str, str]]]:
    """The rows that speak of a service or repository, and which one of which source; "" for none.

    An incident speaks of all the services that it names.
    """
    kind = told.record.KIND
    if kind == CoverageKind.INCIDENTS:
        services = told.values["service"]
        named = [(row, name) for row, names in enumerate(services) for name in names]
        return [row for row, _ in named], [(told.sources[row], name) for row, name in named]
    places = told.values["repository"]
    if kind == CoverageKind.DEPLOYMENTS:
        named_by = zip(told.values["service"], places, strict=True)
        places = [service or repository or "" for service, repository in named_by]
    return slice(None), zip(told.sources, places, strict=True)


_NEVER: Final = 2**63 - 1

# When a record happened.
_MOMENTS: dict[str, Sequence[str]] = {
    CoverageKind.COMMITS: ("committed_at", "authored_at"),
    CoverageKind.PULL_REQUESTS: ("merged_at", "closed_at", "created_at"),
    CoverageKind.DEPLOYMENTS: ("finished_at", "started_at"),
    CoverageKind.RUNS: ("finished_at", "started_at"),
    CoverageKind.INCIDENTS: ("detected_at", "impact_started_at"),
}
