"""Deployments of a scope with their outcomes, as far back as somebody asks: the rest unread."""

from datetime import date
from functools import cached_property

from vpemetrics.metrics.facts import MetricFacts
from vpemetrics.metrics.figures import Scope
from vpemetrics.metrics.points import outcomes_table, recent_outcomes
from vpemetrics.metrics.table import Table
from vpemetrics.store import Store, metric_queries
from vpemetrics.usecases.report_context import ReportContext
from vpemetrics.window import Micros, midnight


class OutcomeRows:
    """The deployments since an instant, read once; `facts` hold the latest of them."""

    def __init__(
        self, store: Store, known: ReportContext, facts: MetricFacts, scope: Scope, begin: Micros
    ) -> None:
        self._store, self._known, self._facts, self._scope = store, known, facts, scope
        self._begin = min(begin, facts.since)

    @cached_property
    def all(self) -> Table:
        """All that are read once."""
        recent = recent_outcomes(self._facts)
        if self._begin == self._facts.since:
            return recent
        return self._read(self._begin, self._facts.since).concat(recent)

    def since(self, first: date, zone: str) -> Table:
        """Those from a date on; what is older than all is read for this alone."""
        start = midnight(first, zone)
        if start < self._begin:
            return self._read(start, self._begin).concat(self.all)
        return self.all.between(int(self.all["finished_at"].searchsorted(start)), len(self.all))

    def _read(self, start: Micros, end: Micros) -> Table:
        everybody = self._scope.kind == "organisation"
        wanted = frozenset(self._facts.services)
        ids = [id_ for id_, name in self._known.names.items() if name in wanted]
        with self._store.view() as connection:
            found = metric_queries.outcomes(connection, start, end, None if everybody else ids)
        return outcomes_table(found, self._known.names)
