"""Baselines of charts that are complete: those in the store, and new ones to put there."""

from collections.abc import Iterable
from datetime import date

from vpemetrics.metrics.charts import Baseline, ChartKind
from vpemetrics.metrics.figures import Scope
from vpemetrics.metrics.registry import METRICS
from vpemetrics.store.baselines import StoredBaseline
from vpemetrics.usecases.lineage_rules import meaning
from vpemetrics.usecases.report_context import ReportContext


class KeptBaselines:
    """The locked baselines of the store that a report up to a date may use, and new ones."""

    def __init__(self, stored: Iterable[StoredBaseline], known: ReportContext, until: date) -> None:
        self.new: list[StoredBaseline] = []
        self._known = known
        self._digests: dict[Scope, str] = {}
        last = until.isoformat()
        self._stored = {baseline.key: baseline for baseline in stored if baseline.last < last}

    def get(
        self, scope: Scope, metric: str, kind: ChartKind, since: date | None
    ) -> Baseline | None:
        """The baseline of a level, under the present rules."""
        stored = self._stored.get((*_about(scope, metric, kind), _date_text(since)))
        if stored is None or stored.rules != self._rules(scope):
            return None
        return _from_store(stored)

    def of(
        self, scope: Scope, metric: str, kind: ChartKind, levels: Iterable[date | None]
    ) -> list[Baseline]:
        """Those of several levels, where there are any."""
        return [kept for since in levels if (kept := self.get(scope, metric, kind, since))]

    def keep(
        self, scope: Scope, metric: str, kind: ChartKind, baselines: Iterable[Baseline]
    ) -> None:
        """Mark baselines that are complete, and not in the store yet, as new."""
        for baseline in baselines:
            if baseline.locked and self.get(scope, metric, kind, baseline.since) is None:
                about = _about(scope, metric, kind)
                self.new.append(_for_store(about, self._rules(scope), baseline))

    def _rules(self, scope: Scope) -> str:
        if scope not in self._digests:
            _, services = self._known.scope(
                scope.name if scope.kind == "service" else None,
                scope.name if scope.kind == "team" else None,
            )
            self._digests[scope] = meaning(self._known.rules, services)
        return self._digests[scope]


def _about(scope: Scope, metric: str, kind: ChartKind) -> tuple[str, str, str, str]:
    return METRICS[metric].definition_id, kind.value, scope.kind, scope.name


def _date_text(since: date | None) -> str:
    return since.isoformat() if since else ""


def _from_store(stored: StoredBaseline) -> Baseline:
    return Baseline(
        since=date.fromisoformat(stored.since) if stored.since else None,
        first=date.fromisoformat(stored.first),
        last=date.fromisoformat(stored.last),
        points=stored.points,
        center=stored.center,
        low=stored.low,
        high=stored.high,
        locked=True,
    )


def _for_store(about: tuple[str, str, str, str], rules: str, baseline: Baseline) -> StoredBaseline:
    if baseline.first is None or baseline.last is None or baseline.center is None:
        raise ValueError(f"a baseline without points: {about}")
    return StoredBaseline(
        *about,
        since=_date_text(baseline.since),
        rules=rules,
        first=baseline.first.isoformat(),
        last=baseline.last.isoformat(),
        points=baseline.points,
        center=baseline.center,
        low=baseline.low,
        high=baseline.high,
    )
