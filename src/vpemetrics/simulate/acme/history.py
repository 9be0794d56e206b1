"""All records of Acme engineering."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from vpemetrics.records import (
    AnyRecord,
    Change,
    Deployment,
    Incident,
    Triage,
)
from vpemetrics.simulate.acme.notable import notable
from vpemetrics.simulate.acme.plans import PLANS, UNCOLLECTED, day_begins
from vpemetrics.simulate.acme.titles import titled
from vpemetrics.simulate.repository import Life

FIRST_INCIDENT: Final = 101

_Part = tuple[str, Sequence[AnyRecord]]


def records() -> Iterator[AnyRecord]:
    """What happened in the organisation, without the week that nobody wrote down."""
    lives = [(str(at), list(Life(plan, 0).records())) for at, plan in enumerate(PLANS)]
    beside = list(notable(record for _, life in lives for record in life))
    yield from titled(filter(_written_down, _numbered([*lives, ("", beside)])))


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


def _written_down(record: AnyRecord) -> bool:
    if not isinstance(record, Deployment):
        return True
    at = record.finished_at or record.started_at
    start, end = map(day_begins, UNCOLLECTED)
    return at is None or not start <= at < end
