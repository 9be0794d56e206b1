"""Collected time by service: sources tell it of services, of repositories, or of everything."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final

from vpemetrics.lineage.services import Services
from vpemetrics.names import name_key
from vpemetrics.records import Coverage, CoverageKind
from vpemetrics.window import Interval, from_micros, merge_intervals, to_micros

EVERYTHING: Final = "*"


def coverage_by_service(
    stretches: Sequence[Coverage], services: Services, deployed_from: Mapping[str, Sequence[str]]
) -> dict[tuple[str, CoverageKind], list[Interval]]:
    """Collected stretches by our service: scopes are services' or repositories' names, or all."""
    found: dict[tuple[str, CoverageKind], list[Interval]] = defaultdict(list)
    everybody = {*deployed_from, *services.declared}
    by_repository: dict[str, set[str]] = defaultdict(set)
    for name, repositories in deployed_from.items():
        for repository in repositories:
            by_repository[name_key(repository)].add(name)
    for stretch in without_declared_holes(stretches):
        named = services.name(stretch.scope, None)
        names = {named} if named in everybody else by_repository[name_key(stretch.scope)]
        for name in everybody if stretch.scope == EVERYTHING else names:
            found[name or "", stretch.kind].append(_span(stretch))
    return {key: merge_intervals(spans) for key, spans in found.items()}


def without_declared_holes(stretches: Sequence[Coverage]) -> Iterator[Coverage]:
    """The stretches, those that only rows tell of cut where it was declared that data is missing.

    A hole lies between two stretches that a source declared for the same scope or everything.
    """
    declared: dict[tuple[str, CoverageKind, str], list[Interval]] = defaultdict(list)
    for stretch in stretches:
        if not stretch.from_rows:
            scope = name_key(stretch.scope)
            declared[stretch.source, stretch.kind, scope].append(_span(stretch))
    for stretch in stretches:
        if not stretch.from_rows:
            yield stretch
            continue
        scopes = {name_key(stretch.scope), EVERYTHING}
        told = [
            span
            for scope in scopes
            for span in declared.get((stretch.source, stretch.kind, scope), ())
        ]
        for start, end in _outside(_span(stretch), _gaps(told)):
            yield replace(stretch, start=from_micros(start), end=from_micros(end))


def _gaps(spans: Iterable[Interval]) -> Iterator[Interval]:
    for (_, end), (start, _) in pairwise(merge_intervals(spans)):
        yield end, start


def _outside(span: Interval, holes: Iterable[Interval]) -> Iterator[Interval]:
    """The parts of a span that lie in none of some holes, which are in order."""
    start, end = span
    for hole_start, hole_end in holes:
        if start < min(hole_start, end):
            yield start, min(hole_start, end)
        start = max(start, hole_end)
    if start < end:
        yield start, end


def _span(stretch: Coverage) -> Interval:
    return to_micros(stretch.start), to_micros(stretch.end)
