"""All records of a made-up organisation."""

from collections.abc import Iterator

from vpemetrics.demo.blueprint import Blueprint
from vpemetrics.demo.repository import RepositoryLife
from vpemetrics.records import AnyRecord, Coverage, CoverageKind


def records_of(blueprint: Blueprint, source: str) -> Iterator[AnyRecord]:
    """Yield the records, one repository after the other; memory does not grow with them."""
    for number in range(len(blueprint.repositories)):
        yield from RepositoryLife(blueprint, number).records()
    start, end = blueprint.covered
    for kind in CoverageKind:
        yield Coverage(source=source, scope="*", kind=kind, start=start, end=end)
