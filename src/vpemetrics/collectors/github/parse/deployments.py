"""GitHub's own deployments: the moment of the first success, whatever became of them later.

The latest status of an old deployment is `inactive`, and its time is when the next one came.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from vpemetrics.collectors.github.options import Rule
from vpemetrics.collectors.github.parse.naming import Naming, Node, instant
from vpemetrics.records import Deployment, Status
from vpemetrics.rules import is_chosen, matches

_ENDED: Final = {
    "FAILURE": Status.FAILED,
    "ERROR": Status.FAILED,
    "INACTIVE": Status.CANCELLED,
    "ABANDONED": Status.CANCELLED,
    "DESTROYED": Status.CANCELLED,
}
_UNDER_WAY: Final = ("IN_PROGRESS",)
_WAS_LIVE: Final = ("ACTIVE", "INACTIVE", "SUCCESS")


def parse_deployment(node: Node, rule: Rule, naming: Naming) -> Deployment | None:
    """The record of a deployment; None if it is none that the rule wants."""
    named = _named(node, rule)
    if named is None:
        return None
    service, environment = named
    statuses, task = _statuses(node), str(node.get("task") or "")
    status, finished_at = _outcome(node, statuses)
    created_at = instant(node.get("createdAt"))
    return Deployment(
        id=f"deployment:{node.get('databaseId') or node['id']}",
        environment=environment,
        status=status,
        service=service,
        repository=naming.known,
        commit_sha=node.get("commitOid"),
        version=_version(node),
        started_at=_started_at(statuses, finished_at) or created_at,
        finished_at=finished_at,
        is_bot=naming.author(node.get("creator")).is_bot,
        rollback=True if matches(task, ["*rollback*"]) else None,
        url=next((one["logUrl"] for one in _raw(node) if one.get("logUrl")), None),
    )


def _named(node: Node, rule: Rule) -> tuple[str | None, str] | None:
    """The service and the environment under a rule; None if it does not want the deployment."""
    environment = str(node.get("environment") or "production")
    task = str(node.get("task") or "deploy")
    if rule.task and not is_chosen(task, rule.task):
        return None
    if rule.expression:
        found = rule.expression.fullmatch(environment)
        groups = found.groupdict() if found else {}
        named = groups.get("service") or rule.service, groups.get("environment") or environment
        return named if found else None
    if rule.environment and not matches(environment, [rule.environment]):
        return None
    return rule.service, environment


def _outcome(
    node: Node, statuses: Sequence[tuple[datetime, str]]
) -> tuple[Status, datetime | None]:
    """How it ended, and when: with its first success if there ever was one."""
    if succeeded_at := _first(statuses, ("SUCCESS",)):
        return Status.SUCCEEDED, succeeded_at
    state = str(node.get("state") or "").upper()
    if not statuses and state in _WAS_LIVE:
        return Status.SUCCEEDED, None  # the history was not given
    # Becoming inactive tells nothing of how it went before.
    last = max((one for one in statuses if one[1] != "INACTIVE"), default=None)
    ended = last[1] if last and last[1] in _ENDED else state
    if status := _ENDED.get(ended):
        return status, _first(statuses, (ended,))
    return Status.IN_PROGRESS, None


def _started_at(
    statuses: Iterable[tuple[datetime, str]], finished_at: datetime | None
) -> datetime | None:
    """When it was first under way; that of another try after its end does not count."""
    started_at = _first(statuses, _UNDER_WAY)
    return None if started_at and finished_at and started_at > finished_at else started_at


def _first(statuses: Iterable[tuple[datetime, str]], states: tuple[str, ...]) -> datetime | None:
    return min((at for at, state in statuses if state in states), default=None)


def _raw(node: Node) -> list[Node]:
    given = (node.get("statuses") or {}).get("nodes") or ()
    return [one for one in given if one]


def _statuses(node: Node) -> list[tuple[datetime, str]]:
    """The status history, with the moment of each."""
    told = ((instant(one.get("createdAt")), str(one.get("state")).upper()) for one in _raw(node))
    return [(at, state) for at, state in told if at]


def _version(node: Node) -> str | None:
    """The tag that was deployed, if it was one."""
    ref = node.get("ref") or {}
    return ref.get("name") if ref.get("prefix") == "refs/tags/" else None
