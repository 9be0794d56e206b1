"""The holdings of a store by source, how far it was collected, whether lineage is in step."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from vpemetrics.records import Coverage, CoverageKind
from vpemetrics.rules import Rules
from vpemetrics.store import Store, derived, metric_queries
from vpemetrics.store.audit import forgotten_sources
from vpemetrics.store.loading import (
    LastCollection,
    load_begun,
    load_collections,
    load_left_out,
)
from vpemetrics.store.record_lookup import View
from vpemetrics.store.source_counts import counts_by_source, covered_until
from vpemetrics.usecases.problems import known_problems, remedy_of
from vpemetrics.usecases.service_coverage import without_declared_holes
from vpemetrics.usecases.update_lineage import is_current


@dataclass(frozen=True, kw_only=True)
class Covered:
    """From when to when facts of a kind were collected, by whichever source."""

    kind: CoverageKind
    start: datetime
    end: datetime
    scopes: int
    """The number of services or repositories, or 1 for everything at once."""


@dataclass(frozen=True, kw_only=True)
class SourceStatus:
    """One source: what it gave, how far, and its last collection (None: imported, or never)."""

    name: str
    records: Mapping[str, int]
    covered_until: datetime | None
    last: LastCollection | None
    begun: bool = False
    """True if a collection has saved anything, though it may have been cut short."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """The records that its last collection left out, and why: they are asked for again."""
    forgotten_at: datetime | None = None
    """The moment at which all of it was forgotten last."""

    @property
    def collected_at(self) -> datetime | None:
        """The end of the last collection without an error."""
        return self.last.succeeded_at if self.last else None

    @property
    def error(self) -> str | None:
        """The error of the last collection."""
        return self.last.error if self.last else None


@dataclass(frozen=True, kw_only=True)
class StoreStatus:
    """All that is to be known of a store before its figures are trusted."""

    sources: tuple[SourceStatus, ...]
    records: Mapping[str, int]
    coverage: tuple[Covered, ...]
    saves: int
    """The number of saves that changed anything."""
    lineage_saves: int
    """The number of them that lineage has seen; a report brings it up to date first."""
    lineage_current: bool
    """True if it has seen them all, under the rules in force."""
    services: int
    """The number of services that lineage has traced."""
    problems: Mapping[str, tuple[str, ...]]
    """The problems in the data, as lineage last saw it: reasons with what they concern."""
    remedies: Mapping[str, str | None]
    """The remedy for each of them, where there is one."""

    @property
    def data_as_of(self) -> datetime | None:
        """The end of what was collected last."""
        return max((covered.end for covered in self.coverage), default=None)


def status(store: Store, rules: Rules, configured: Iterable[str] = ()) -> StoreStatus:
    """The state of a store and of the configured sources; nothing is brought up to date."""
    with store.view() as connection:
        traced = derived.load_traced(connection)
        problems = known_problems(traced.values(), metric_queries.unresolved_causes(connection))
        remedies = {reason: remedy_of(connection, reason, of) for reason, of in problems.items()}
        sources = tuple(_sources(connection, configured))
    return StoreStatus(
        sources=sources,
        records=store.counts(),
        coverage=tuple(_coverage(without_declared_holes(store.coverage()))),
        saves=store.batch(),
        lineage_saves=store.lineage_mark()[0],
        lineage_current=is_current(store, rules),
        services=len(traced),
        problems=problems,
        remedies=remedies,
    )


def lacking(store: Store, configured: Iterable[str]) -> dict[str, str | None]:
    """The configured sources that reports lack what is newest of, or all of; what went wrong.

    None for one that was never asked for anything, nor imported.
    """
    with store.view() as connection:
        last, until = load_collections(connection), covered_until(connection)
    failed = {name: last[name].error for name in configured if name in last and last[name].error}
    return failed | {name: None for name in configured if name not in last and name not in until}


def _sources(connection: View, configured: Iterable[str]) -> Iterator[SourceStatus]:
    """Every source that was configured, collected or imported, by name."""
    records, until = counts_by_source(connection), covered_until(connection)
    last, begun = load_collections(connection), load_begun(connection)
    left_out = load_left_out(connection)
    forgotten = forgotten_sources(connection)
    for name in sorted({*records, *until, *last, *configured}):
        yield SourceStatus(
            name=name,
            records=records.get(name, {}),
            covered_until=until.get(name),
            last=last.get(name),
            begun=name in begun,
            left_out=left_out.get(name, {}),
            forgotten_at=forgotten.get(name),
        )


def _coverage(stretches: Iterable[Coverage]) -> Iterable[Covered]:
    found: dict[CoverageKind, list[Coverage]] = {}
    for stretch in stretches:
        found.setdefault(stretch.kind, []).append(stretch)
    for kind, ones in sorted(found.items()):
        yield Covered(
            kind=kind,
            start=min(stretch.start for stretch in ones),
            end=max(stretch.end for stretch in ones),
            scopes=len({stretch.scope for stretch in ones}),
        )
