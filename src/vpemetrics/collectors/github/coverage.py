"""The time for which the facts of a repository are known: what was really read, nothing else."""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Final

from vpemetrics.collectors.github.connections import (
    ISSUES,
    PULLS,
    RULES,
    RUNS,
    TYPES,
    base,
    wanted_lists,
)
from vpemetrics.collectors.github.cursor import GitHubCursor
from vpemetrics.collectors.github.repository import RepositoryTarget
from vpemetrics.records import Coverage, CoverageKind

_EVERYTHING: Final = "*"


def coverage(
    target: RepositoryTarget,
    cursor: GitHubCursor,
    *,
    now: datetime | None = None,
    in_part: bool = False,
) -> Iterator[Coverage]:
    """The coverage of a repository; until `now` where all of it was looked at and is quiet.

    Lists that were not read to their end count `in_part` only, as far as they were: where the
    next collection may be long in coming.
    """
    own = {cursor.known, target.probe.name}
    lists = wanted_lists(target)
    deploying = [name for name, kind in RULES.items() if target.rules_from(kind)]
    incidents = [name for name in lists if base(name) in (ISSUES, TYPES)]
    services = {*cursor.services, *(rule.service for rule in target.deployments if rule.service)}
    kinds = (
        (CoverageKind.PULL_REQUESTS, [PULLS] if PULLS in lists else [], own),
        (CoverageKind.REVIEWS, [PULLS] if PULLS in lists else [], own),
        (CoverageKind.DEPLOYMENTS, deploying, own | services),
        (CoverageKind.INCIDENTS, incidents, {_EVERYTHING} if target.has_incidents_of_all else own),
        (CoverageKind.RUNS, [RUNS] if RUNS in lists and target.options.runs else [], own),
    )
    spans = [
        (kind, _span(cursor, names, now, in_part=in_part), scopes) for kind, names, scopes in kinds
    ]
    spans.append((CoverageKind.COMMITS, _span_of_commits(target, cursor, now), own))
    for kind, span, scopes in spans:
        if span:
            for scope in sorted(scopes):
                start, end = span
                yield Coverage(source=target.source, scope=scope, kind=kind, start=start, end=end)


def _span(
    cursor: GitHubCursor, names: Collection[str], now: datetime | None, *, in_part: bool
) -> tuple[datetime, datetime] | None:
    """The time for which all of some lists were read.

    A look at a repository does not show runs, so these are known until they were read last.
    """
    lists = {name: cursor.lists.get(name) for name in names}
    known = {
        name: progress.span
        for name, progress in lists.items()
        if progress and progress.span and (in_part or not progress.gaps)
    }
    if not known or len(known) < len(lists):
        return None
    start = max(span[0] for span in known.values())
    end = min(now if now and name != RUNS else span[1] for name, span in known.items())
    return (start, end) if start < end else None


def _span_of_commits(
    target: RepositoryTarget, cursor: GitHubCursor, now: datetime | None
) -> tuple[datetime, datetime] | None:
    history = cursor.history
    if history is None or history.walks:
        return None
    end = now or history.end
    return (cursor.begin, end) if target.is_code and cursor.begin < end else None
