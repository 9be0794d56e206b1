"""Figures from records, through a store, as a report has them; and records to measure.

Weeks are numbered as in `builders`: week 1 begins on Monday, 2 March 2026.
Everything was collected from a year before to eight weeks after, unless the records say otherwise.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from builders import MONDAY, at, commit, deploy, pull
from stored import SOURCE, empty_store

from vpemetrics.metrics.facts import Slice
from vpemetrics.metrics.figures import Figure
from vpemetrics.metrics.registry import METRICS
from vpemetrics.records import (
    AnyRecord,
    AuthorKind,
    Change,
    Commit,
    Coverage,
    CoverageKind,
    Deployment,
)
from vpemetrics.rules import Rules
from vpemetrics.usecases.report_context import ReportContext
from vpemetrics.usecases.update_lineage import bring_up_to_date
from vpemetrics.window import Window, week_of

RULES = Rules()
AUTHOR_KINDS = {"bot": AuthorKind.AUTOMATION, "agent": AuthorKind.AGENT}
BEGIN, END = MONDAY - timedelta(weeks=60), MONDAY + timedelta(weeks=8)
KINDS = (CoverageKind.DEPLOYMENTS, CoverageKind.INCIDENTS)


def weeks(first: int, last: int | None = None, zone: str = "UTC") -> Window:
    """A week, or the weeks from the first to the last, as a window."""
    start = week_of((MONDAY + timedelta(weeks=first - 1)).date(), zone)
    if last is None:
        return start
    return Window(start=start.start, end=start.start + timedelta(weeks=last - first + 1), zone=zone)


WEEK = weeks(1)


def collected(
    start: str | datetime,
    end: str | datetime,
    *kinds: CoverageKind,
    scope: str = "*",
) -> list[Coverage]:
    """Deployments and incidents, or the kinds given, were collected from start to end."""
    first, last = (at(when) if isinstance(when, str) else when for when in (start, end))
    return [
        Coverage(source=SOURCE, scope=scope, kind=kind, start=first, end=last)
        for kind in kinds or KINDS
    ]


def shipping(table: str, service: str = "shop", first: str = "Sun0 12:00") -> list[AnyRecord]:
    """Pull requests of one commit each, and the deployments that ship them, after a first one.

    Lines are `Tue 10:00 90m ann`: when it was deployed, how long it took from its commit, its
    author; `bot` is automation, `agent` an agent, with whatever number. Lines of the same moment
    are one deployment.
    """
    rows = [line.partition("#")[0].split() for line in table.strip().splitlines()]
    commits: list[Commit] = [commit(f"{service}-0", repository=service, authored_at=BEGIN)]
    pulls: list[Change] = []
    last: dict[str, str] = {first: commits[0].sha}
    for number, (day, clock, took, author) in enumerate(rows, 1):
        when = f"{day} {clock}"
        sha, started = f"{service}-{number}", at(when) - duration(took)
        commits.append(commit(sha, (commits[-1].sha,), repository=service, authored_at=started))
        pulls.append(
            pull(
                number,
                None,
                sha,
                sha,
                repository=service,
                author=author,
                author_kind=AUTHOR_KINDS.get(author.rstrip("0123456789"), AuthorKind.PERSON),
            )
        )
        last[when] = sha
    merged = [_merged(one, made) for one, made in zip(pulls, commits[1:], strict=True)]
    return [*commits, *merged, *_deployed(last, service)]


def _merged(change: Change, made: Commit) -> Change:
    from dataclasses import replace

    return replace(change, id=f"{change.repository}#{change.number}", merged_at=made.authored_at)


def _deployed(last: dict[str, str], service: str) -> Iterator[Deployment]:
    for number, (when, sha) in enumerate(last.items()):
        yield deploy(f"{service}-d{number}", when, sha, service=service, repository=service)


def duration(text: str) -> timedelta:
    """`90m`, `4h`, `3d`, `20s`, with a minus for less than nothing."""
    units = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
    return timedelta(**{units[text[-1]]: float(text[:-1])})


def measure(
    metric: str,
    records: Iterable[AnyRecord],
    window: Window = WEEK,
    *,
    service: str | None = "shop",
    team: str | None = None,
    rules: Rules = RULES,
) -> Figure:
    """The figure of a metric for a service, a team, or (with neither) everything."""
    with cutting(records, window, service=service, team=team, rules=rules) as cut:
        return METRICS[metric].measure(cut)


@contextmanager
def cutting(
    records: Iterable[AnyRecord],
    window: Window = WEEK,
    *,
    service: str | None = "shop",
    team: str | None = None,
    rules: Rules = RULES,
) -> Iterator[Slice]:
    """What records come to in a window, for a service, a team, or (with neither) everything."""
    rows = list(records)
    if not any(isinstance(row, Coverage) for row in rows):
        rows += collected(BEGIN, END)
    with empty_store() as store:
        store.save(SOURCE, rows)
        bring_up_to_date(store, rules)
        known = ReportContext.load(store, rules)
        scope, services = known.scope(service, team)
        facts = known.facts(store, window).of(services, pooled=scope.kind != "service")
        yield Slice(facts=facts, scope=scope, window=window)
