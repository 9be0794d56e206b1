"""Incidents, and which of them may concern a service: found by what they name."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from vpemetrics.lineage.rows import IncidentRow


@dataclass(frozen=True, kw_only=True)
class IncidentIndex:
    """All incidents in order, and by our services those, by position, that name them."""

    rows: Sequence[IncidentRow] = ()
    naming: Mapping[str, Collection[int]] = field(default_factory=dict)

    @cached_property
    def by_id(self) -> Mapping[int, IncidentRow]:
        """The incidents by their ids."""
        return {one.id: one for one in self.rows}

    def concerning(
        self, service: str, *, records: Mapping[str, object], linked: Iterable[str]
    ) -> set[int]:
        """The positions of those that name a service or a record of it, or are tied to it."""
        named = self._by_deployment.keys() & records.keys()
        return {
            *self.naming.get(service, ()),
            *(at for key in named for at in self._by_deployment[key]),
            *(at for key in linked for at in self._by_key.get(key, ())),
        }

    @cached_property
    def of_no_service(self) -> Mapping[int, IncidentRow]:
        """The incidents, by position, that name no service at all."""
        return {at: one for at, one in enumerate(self.rows) if not one.services}

    @cached_property
    def _by_deployment(self) -> Mapping[str, list[int]]:
        found: dict[str, list[int]] = defaultdict(list)
        for at, one in enumerate(self.rows):
            if one.cause_deployment:
                found[one.cause_deployment].append(at)
        return dict(found)

    @cached_property
    def _by_key(self) -> Mapping[str, list[int]]:
        found: dict[str, list[int]] = defaultdict(list)
        for at, one in enumerate(self.rows):
            found[one.key].append(at)
        return dict(found)
