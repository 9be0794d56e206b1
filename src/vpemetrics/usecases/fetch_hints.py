"""Original commits that a clone lacks after squashes: the command that fetches them (rule T1)."""

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Final

from vpemetrics.config.sources import Source
from vpemetrics.errors import VpemetricsError
from vpemetrics.folders import locate
from vpemetrics.metrics.figures import Scope
from vpemetrics.names import name_key
from vpemetrics.reports.model import Problem, Report
from vpemetrics.rules import Rules
from vpemetrics.store import Store

if TYPE_CHECKING:
    from vpemetrics.collectors.git.collect import MissingOriginals

REASON: Final = "starts_at_merge"


def with_fetch(report: Report, rules: Rules, store: Store, sources: Iterable[Source]) -> Report:
    """The report with the command that mends changes which start at their merge, if they do.

    It is for the clone that lacks most of the originals, of those the scope is built from;
    where others lack some too, it says so.
    """
    if all(problem.reason != REASON for problem in report.problems):
        return report
    lacking = sorted(_lacking(store, sources), key=lambda clone: clone.missing, reverse=True)
    names = set(map(name_key, _repositories(report.scope, rules)))
    commands = [clone.command for clone in lacking if name_key(clone.repository) in names] or [
        clone.command for clone in lacking
    ]
    if not commands:
        return report
    return report.model_copy(
        update={"problems": tuple(_with(problem, commands) for problem in report.problems)}
    )


def _lacking(store: Store, sources: Iterable[Source]) -> Iterator["MissingOriginals"]:
    # Few reports need it, and it brings all that reads a clone.
    from vpemetrics.collectors.git.collect import missing_originals
    from vpemetrics.collectors.git.options import Options

    for source in sources:
        if isinstance(source.options, Options):
            try:
                place = locate(source.folder, source.options.path)
                found = missing_originals(source.options, place, store.cursors(source.name))
            except VpemetricsError:  # a clone that is no longer there has nothing to fetch
                continue
            if found:
                yield found


def _repositories(scope: Scope, rules: Rules) -> Collection[str]:
    """The repositories that the services of a scope are built from, as far as is known."""
    services = [service for service in rules.services if scope.name in (service.name, service.team)]
    return {scope.name, *(service.repository or service.name for service in services)}


def _with(problem: Problem, commands: list[str]) -> Problem:
    if problem.reason != REASON:
        return problem
    where = "the clone" if len(commands) == 1 else "each clone, here the one that lacks most"
    remedy = f"fetch them into {where}; the next collection reads them"
    return problem.model_copy(update={"remedy": remedy, "command": commands[0]})
