"""Records in few words, for tables of cases: a day-clock, shas that are their own names.

`at("Mon 10:00")` is that time in the week of 2 March 2026, `at("Mon2 10:00")` a week later.
Every record is of the service and repository `shop` unless it says otherwise.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from vpemetrics.records import (
    AuthorKind,
    Change,
    Commit,
    Deployment,
    Incident,
    Status,
    Triage,
    Verdict,
)

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MARKS = ("rollback", "hotfix")
ENVIRONMENTS = {"eu": "production", "us": "prod-us", "staging": "staging"}


def at(when: str) -> datetime:
    """The moment a day and a time of day mean; a number after the day is the week."""
    day, clock = when.split()
    week = int(day[3:] or 1) - 1
    hours, minutes, *seconds = map(int, clock.split(":"))
    days = DAYS.index(day[:3]) + 7 * week
    return MONDAY + timedelta(days=days, hours=hours, minutes=minutes, seconds=sum(seconds))


def commits(graph: str, repository: str = "shop") -> list[Commit]:
    """Commits from `child:parent+parent` or `a<b<c` (oldest first), one minute apart."""
    parents: dict[str, tuple[str, ...]] = {}
    for word in graph.split():
        if ":" in word:
            child, _, above = word.partition(":")
            parents[child] = tuple(above.split("+"))
            continue
        line = word.split("<")
        parents.setdefault(line[0], ())
        parents.update({child: (parent,) for parent, child in pairwise(line)})
    return [
        commit(sha, above, authored_at=MONDAY + timedelta(minutes=number), repository=repository)
        for number, (sha, above) in enumerate(parents.items())
    ]


def commit(sha: str, parents: Iterable[str] = (), **more: Any) -> Commit:
    """A commit of Monday midnight by a person."""
    said: dict[str, Any] = {
        "repository": "shop",
        "authored_at": MONDAY,
        "author_kind": AuthorKind.PERSON,
    } | more
    return Commit(sha=sha, parents=tuple(parents), **{"committed_at": said["authored_at"]} | said)


def changed(rows: Iterable[Commit], **fields: dict[str, Any]) -> list[Commit]:
    """The commits, some of them with other fields: `changed(rows, b={"reverts_sha": ("a",)})`."""
    return [replace(row, **fields.get(row.sha, {})) for row in rows]


def pull(number: int, merged: str | None, by: str, of: str = "", **more: Any) -> Change:
    """A person's pull request `#number`, merged by a commit; `of` are its original commits."""
    said: dict[str, Any] = {
        "repository": "shop",
        "author_kind": AuthorKind.PERSON,
        "number": number,
    } | more
    return Change(
        id=f"#{number}",
        merged_at=at(merged) if merged else None,
        merge_commit_sha=by or None,
        commit_shas=tuple(of.split()),
        **said,
    )


def deploy(id_: str, when: str, sha: str | None, where: str = "eu", **more: Any) -> Deployment:
    """A deployment to production that succeeded; `took` minutes if it says when it started."""
    finished = at(when)
    took = more.pop("took", None)
    said: dict[str, Any] = {
        "service": "shop",
        "repository": "shop",
        "status": Status.SUCCEEDED,
    } | more
    return Deployment(
        id=id_,
        environment=ENVIRONMENTS[where],
        commit_sha=sha,
        started_at=None if took is None else finished - timedelta(minutes=took),
        finished_at=finished,
        **said,
    )


def deploys(table: str) -> list[Deployment]:
    """Deployments d1, d2, … from lines `Mon 10:00 eu sha`; `?` is an unknown commit.

    More words: a status (`rolled_back`, `failed`, …), `rollback` or `hotfix` as the source's mark.
    """
    rows = [line.partition("#")[0].split() for line in table.strip().splitlines()]
    return [
        deploy(f"d{number}", f"{day} {clock}", None if sha == "?" else sha, where, **_said(more))
        for number, (day, clock, where, sha, *more) in enumerate(rows, 1)
    ]


def _said(words: list[str]) -> dict[str, Any]:
    said: dict[str, Any] = {word: True for word in words if word in MARKS}
    for word in words:
        if word not in MARKS:
            said["status"] = Status(word)
    return said


def incident(id_: str, began: str | None, restored: str | None = None, **more: Any) -> Incident:
    """An incident of the service, open until it says otherwise."""
    said: dict[str, Any] = {"service": ("shop",)} | more
    return Incident(
        id=id_,
        impact_started_at=at(began) if began else None,
        resolved_at=at(restored) if restored else None,
        **said,
    )


def decision(
    record: str,
    verdict: str,
    when: str = "Sun 12:00",
    cause: str | None = None,
    restored: str | None = None,
) -> Triage:
    """What a person decided."""
    return Triage(
        record=record,
        verdict=Verdict(verdict),
        when=at(when),
        cause=cause,
        restored_at=at(restored) if restored else None,
    )
