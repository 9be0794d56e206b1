"""All records of a made-up organisation."""

from collections.abc import Iterator

from vpemetrics.records import AnyRecord, Coverage, CoverageKind
from vpemetrics.simulate.plan import Plan
from vpemetrics.simulate.repository import Life


def records_of(plan: Plan, source: str) -> Iterator[AnyRecord]:
    """The records of a plan, one repository after the other; memory does not grow with them."""
    for number in range(len(plan.repositories)):
        yield from Life(plan, number).records()
    start, end = plan.covered
    for kind in CoverageKind:
        yield Coverage(source=source, scope="*", kind=kind, start=start, end=end)
