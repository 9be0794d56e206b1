"""Problems that clones know of: original commits that they lack (rule T1), odd merges (rule C1)."""

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
from vpemetrics.usecases.problems import REMEDIES

if TYPE_CHECKING:
    from vpemetrics.collectors.git.collect import MissingOriginals

REASON: Final = "starts_at_merge"
ODD_MERGES: Final = "merges_not_understood"
_CURSOR: Final = "repository"
"""The scope of the one cursor that a clone has."""


def with_clone_problems(
    report: Report, rules: Rules, store: Store, sources: Iterable[Source]
) -> Report:
    """The report with what clones add to its problems.

    That is the command that mends changes which start at their merge, if they do, and of a whole
    organisation the merges that are in no known form.
    """
    clones = list(_read_clones(store, sources))
    odd = _odd_merges(store, clones) if clones and report.scope.kind == "organisation" else None
    if odd:
        problems = sorted((*report.problems, odd), key=lambda problem: problem.reason)
        report = report.model_copy(update={"problems": tuple(problems)})
    return _with_fetch(report, rules, store, clones)


def _read_clones(store: Store, sources: Iterable[Source]) -> Iterator[Source]:
    """The sources that are clones and were collected."""
    for source in sources:
        if _CURSOR in store.cursors(source.name):
            from vpemetrics.collectors.git.options import (
                Options,  # no report without clones wants it
            )

            if isinstance(source.options, Options):
                yield source


def _odd_merges(store: Store, clones: Iterable[Source]) -> Problem | None:
    """The merges of clones that may be of pull requests, in words that are not known here."""
    from vpemetrics.collectors.git.cursor import parse_cursor

    cursors = (parse_cursor(store.cursors(clone.name).get(_CURSOR)) for clone in clones)
    odd = [sha for cursor in cursors if cursor for sha in cursor.odd_merges]
    if not odd:
        return None
    return Problem(
        reason=ODD_MERGES,
        count=len(odd),
        examples=tuple(odd[:3]),
        remedy=REMEDIES[ODD_MERGES],
    )


def _with_fetch(report: Report, rules: Rules, store: Store, clones: Iterable[Source]) -> Report:
    """The report with the command that fetches original commits, where changes lack them.

    It is for the clone that lacks most of the originals, of those the scope is built from;
    where others lack some too, it says so.
    """
    if all(problem.reason != REASON for problem in report.problems):
        return report
    lacking = sorted(_lacking(store, clones), key=lambda clone: clone.missing, reverse=True)
    names = set(map(name_key, _repositories(report.scope, rules)))
    commands = [clone.command for clone in lacking if name_key(clone.repository) in names] or [
        clone.command for clone in lacking
    ]
    if not commands:
        return report
    return report.model_copy(
        update={"problems": tuple(_with(problem, commands) for problem in report.problems)}
    )


def _lacking(store: Store, clones: Iterable[Source]) -> Iterator["MissingOriginals"]:
    # Few reports need it, and it brings all that reads a clone.
    from vpemetrics.collectors.git.collect import missing_originals

    for clone in clones:
        try:
            place = locate(clone.folder, clone.options.path)
            found = missing_originals(clone.options, place, store.cursors(clone.name))
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
