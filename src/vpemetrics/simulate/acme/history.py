"""All records of Acme engineering."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from vpemetrics.records import (
    AnyRecord,
    Change,
    Coverage,
    CoverageKind,
    Deployment,
    Incident,
    Triage,
)
from vpemetrics.simulate.acme.notable import notable
from vpemetrics.simulate.acme.plans import BEGINS, PLANS, UNCOLLECTED, day_begins
from vpemetrics.simulate.acme.titles import titled
from vpemetrics.simulate.repository import Life

FIRST_INCIDENT: Final = 101

_Part = tuple[str, Sequence[AnyRecord]]


def records(source: str) -> Iterator[AnyRecord]:
    """What a source of this name says of the organisation, the uncollected week left out."""
    lives = [(str(at), list(Life(plan, 0).records())) for at, plan in enumerate(PLANS)]
    beside = list(notable(record for _, life in lives for record in life))
    yield from titled(filter(_collected, _numbered([*lives, ("", beside)])))
    yield from _coverage(source)


def _numbered(parts: Sequence[_Part]) -> Iterator[AnyRecord]:
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


def _collected(record: AnyRecord) -> bool:
    if not isinstance(record, Deployment):
        return True
    at = record.finished_at or record.started_at
    start, end = map(day_begins, UNCOLLECTED)
    return at is None or not start <= at < end


def _coverage(source: str) -> Iterator[Coverage]:
    start, (_, end) = day_begins(BEGINS), PLANS[0].covered
    gap_start, gap_end = map(day_begins, UNCOLLECTED)
    for kind in CoverageKind:
        stretches: tuple[tuple[datetime, datetime], ...] = ((start, end),)
        if kind is CoverageKind.DEPLOYMENTS:
            stretches = ((start, gap_start), (gap_end, end))
        for begin, until in stretches:
            yield Coverage(source=source, scope="*", kind=kind, start=begin, end=until)
