"""Declared changes of level: the dates on which limits start anew (rule L3)."""

from collections.abc import Collection, Iterable
from datetime import date

from vpemetrics.metrics.figures import Scope
from vpemetrics.rules import Step


def step_scopes(scope: Scope, team: str | None) -> frozenset[str | None]:
    """The scopes whose steps concern a scope: everything, itself, and a service's `team`."""
    if scope.kind == "organisation":
        return frozenset({None})
    own = f"{scope.kind}:{scope.name}"
    return frozenset({None, own, f"team:{team}"} if scope.kind == "service" else {None, own})


def step_dates(
    steps: Iterable[Step], metric: str, scopes: Collection[str | None], until: date
) -> list[date]:
    """The dates before another on which a metric of one of the scopes changed its level."""
    return sorted(
        step.on
        for step in steps
        if step.metric == metric and step.scope in scopes and step.on < until
    )
