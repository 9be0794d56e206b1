"""All records of Acme engineering."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Final

from vpemetrics.demo.acme import (
    BEGINS,
    BLUEPRINTS,
    ENDS,
    LOOKED_AT,
    UNCOLLECTED,
)
from vpemetrics.demo.calendar import Calendar
from vpemetrics.demo.notable import notable
from vpemetrics.demo.repository import RepositoryLife
from vpemetrics.demo.titles import add_titles
from vpemetrics.records import (
    AnyRecord,
    Change,
    Coverage,
    CoverageKind,
    Deployment,
    Incident,
    Triage,
)

FIRST_INCIDENT: Final = 101
SOURCE: Final = "acme"

_Part = tuple[str, Sequence[AnyRecord]]


def records(calendar: Calendar) -> Iterator[AnyRecord]:
    """Yield all records of the organisation, without the week that nobody wrote down."""
    lives = [
        (str(at), list(RepositoryLife(blueprint, 0).records()))
        for at, blueprint in enumerate(BLUEPRINTS)
    ]
    beside = list(notable(record for _, life in lives for record in life))
    told = add_titles(filter(_is_written_down, _number_incidents([*lives, ("", beside)])))
    yield from map(calendar.record, [*told, *_coverage()])


def looked_at(calendar: Calendar) -> datetime:
    """Return the moment at which the organisation is looked at: a Monday morning."""
    return calendar.moment(_begin(ENDS) + LOOKED_AT)


def _coverage() -> Iterator[Coverage]:
    """Everything from the first day to the last, but for the week that nobody wrote down."""
    begin, end = _begin(BEGINS), _begin(ENDS) + LOOKED_AT
    before, after = map(_begin, UNCOLLECTED)
    for kind in CoverageKind:
        gap = (before, after) if kind is CoverageKind.DEPLOYMENTS else (end, end)
        for start, stop in ((begin, gap[0]), (gap[1], end)):
            if start < stop:
                yield Coverage(source=SOURCE, scope="*", kind=kind, start=start, end=stop)


def _begin(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _number_incidents(parts: Sequence[_Part]) -> Iterator[AnyRecord]:
    """The records, incidents numbered in the order in which they were noticed."""
    found = [
        (record.detected_at, part, record.id)
        for part, records in parts
        for record in records
        if isinstance(record, Incident) and record.detected_at
    ]
    names = {
        (part, known_as): f"INC-{number}"
        for number, (_, part, known_as) in enumerate(sorted(found), FIRST_INCIDENT)
    }
    for part, records in parts:
        for record in records:
            match record:
                case Incident():
                    yield replace(record, id=names[part, record.id])
                case Triage():
                    yield replace(record, record=names[part, record.record])
                case Change(closes=(known_as,)):
                    yield replace(record, closes=(names[part, known_as],))
                case _:
                    yield record


def _is_written_down(record: AnyRecord) -> bool:
    if not isinstance(record, Deployment):
        return True
    at = record.finished_at or record.started_at
    start, end = map(_begin, UNCOLLECTED)
    return at is None or not start <= at < end
