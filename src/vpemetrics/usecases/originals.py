"""Original commits that a clone lacks after squashes: the command that fetches them (rule 17)."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from vpemetrics.collectors import git
from vpemetrics.config.sources import Source
from vpemetrics.errors import VpemetricsError
from vpemetrics.reports.model import Problem, Report

REASON: Final = "starts_at_merge"


def with_fetch(report: Report, sources: Iterable[Source]) -> Report:
    """The report with the command that mends changes which start at their merge, if they do.

    With several clones it is the first one's, and says so.
    """
    if all(problem.reason != REASON for problem in report.problems):
        return report
    commands = list(_commands(sources))
    if not commands:
        return report
    return report.model_copy(
        update={"problems": tuple(_with(one, commands) for one in report.problems)}
    )


def _commands(sources: Iterable[Source]) -> Iterator[str]:
    for source in sources:
        if isinstance(source.options, git.Options):
            try:
                command = git.mend(source.folder / Path(source.options.path))
            except VpemetricsError:  # a clone that is no longer there has nothing to fetch
                continue
            if command:
                yield command


def _with(problem: Problem, commands: list[str]) -> Problem:
    if problem.reason != REASON:
        return problem
    where = "the clone" if len(commands) == 1 else "each clone, here the first"
    remedy = f"fetch them into {where}; the next collection reads them"
    return problem.model_copy(update={"remedy": remedy, "command": commands[0]})
