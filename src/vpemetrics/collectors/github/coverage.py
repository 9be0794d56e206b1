"""For which time the facts of a repository are known: what was really read, and nothing else."""

from collections.abc import Collection, Iterator
from datetime import datetime

from vpemetrics.collectors.github.connections import ISSUES, PULLS, RULES, RUNS, TYPES, base, wanted
from vpemetrics.collectors.github.cursor import GitHubCursor
from vpemetrics.collectors.github.repository import RepositoryTarget
from vpemetrics.records import Coverage, CoverageKind

_EVERYTHING = "*"


def coverage(
    target: RepositoryTarget,
    cursor: GitHubCursor,
    *,
    now: datetime | None = None,
    in_part: bool = False,
) -> Iterator[Coverage]:
    """What is known of a repository; until `now` where all of it was looked at and is quiet.

    Lists that were not read to their end count `in_part` only, as far as they were: where the
    next collection may be long in coming.
    """
    own = {cursor.known, target.probe.name}
    lists = wanted(target)
    deploying = [name for name, kind in RULES.items() if target.rules_from(kind)]
    incidents = [name for name in lists if base(name) in (ISSUES, TYPES)]
    services = {*cursor.services, *(one.service for one in target.deployments if one.service)}
    kinds = (
        (CoverageKind.PULL_REQUESTS, [PULLS] if PULLS in lists else [], own),
        (CoverageKind.DEPLOYMENTS, deploying, own | services),
        (CoverageKind.INCIDENTS, incidents, {_EVERYTHING} if target.tells_of_all else own),
        (CoverageKind.RUNS, [RUNS] if RUNS in lists and target.options.runs else [], own),
    )
    spans = [
        (kind, _span(cursor, names, now, in_part=in_part), scopes) for kind, names, scopes in kinds
    ]
    spans.append((CoverageKind.COMMITS, _commits(target, cursor, now), own))
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
    stretches = {name: cursor.lists.get(name) for name in names}
    known = {
        name: one.covered
        for name, one in stretches.items()
        if one and one.covered and (in_part or not one.gaps)
    }
    if not known or len(known) < len(stretches):
        return None
    start = max(span[0] for span in known.values())
    end = min(now if now and name != RUNS else span[1] for name, span in known.items())
    return (start, end) if start < end else None


def _commits(
    target: RepositoryTarget, cursor: GitHubCursor, now: datetime | None
) -> tuple[datetime, datetime] | None:
    history = cursor.history
    if history is None or history.walks:
        return None
    end = now or history.end
    return (cursor.begin, end) if target.is_code and cursor.begin < end else None
