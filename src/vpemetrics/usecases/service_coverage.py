"""Collected time by service: sources tell it of services, of repositories, or of everything."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from vpemetrics.lineage.services import Services
from vpemetrics.records import Coverage, CoverageKind
from vpemetrics.rules import Rules
from vpemetrics.window import Interval, merge_intervals, to_micros

EVERYTHING: Final = "*"


def coverage_by_service(
    stretches: Sequence[Coverage], rules: Rules, deployed_from: Mapping[str, Sequence[str]]
) -> dict[tuple[str, CoverageKind], list[Interval]]:
    """Collected stretches by our service: scopes are services' or repositories' names, or all."""
    resolver = Services(rules)
    found: dict[tuple[str, CoverageKind], list[Interval]] = defaultdict(list)
    everybody = {*deployed_from, *(service.name for service in rules.services)}
    by_repository: dict[str, set[str]] = defaultdict(set)
    for name, repositories in deployed_from.items():
        for repository in repositories:
            by_repository[repository].add(name)
    for stretch in stretches:
        named = resolver.name(stretch.scope, None)
        names = {named} if named in everybody else by_repository.get(stretch.scope, set())
        for name in everybody if stretch.scope == EVERYTHING else names:
            span = to_micros(stretch.start), to_micros(stretch.end)
            found[name or "", stretch.kind].append(span)
    return {key: merge_intervals(spans) for key, spans in found.items()}
