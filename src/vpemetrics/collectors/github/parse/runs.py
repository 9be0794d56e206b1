"""Workflow runs and their jobs: continuous integration, and deployments where a rule says so.

A run that is run again keeps its id and its creation: the attempt and `run_started_at` tell.
"""

from typing import Final

from vpemetrics.collectors.github.options import Rule
from vpemetrics.collectors.github.parse.naming import Naming, Node, instant
from vpemetrics.records import Deployment, Run, Status
from vpemetrics.rules import matches

_ENDED: Final = {
    "success": Status.SUCCEEDED,
    "failure": Status.FAILED,
    "timed_out": Status.FAILED,
    "startup_failure": Status.FAILED,
    "cancelled": Status.CANCELLED,
    "skipped": Status.SKIPPED,
    "neutral": Status.SKIPPED,
    "stale": Status.CANCELLED,
    "action_required": Status.CANCELLED,
}
_ENVIRONMENT: Final = "production"


def parse_run(node: Node, naming: Naming) -> Run:
    """The record of one attempt of a run; `outcome` is GitHub's conclusion, else its status."""
    ended = is_completed(node)
    return Run(
        id=f"run:{node['id']}.{attempt(node)}",
        repository=naming.known,
        outcome=_conclusion(node) or _status(node),
        name=node.get("name"),
        attempt=attempt(node),
        commit_sha=node.get("head_sha"),
        started_at=instant(node.get("run_started_at") or node.get("created_at")),
        finished_at=instant(node.get("updated_at")) if ended else None,
    )


def attempt(node: Node) -> int:
    """Which attempt of its run this is, from 1."""
    return int(node.get("run_attempt") or 1)


def is_completed(node: Node) -> bool:
    """Whether a run or job will not change any more, unless somebody runs it again."""
    return _status(node) == "completed" or bool(_conclusion(node))


def is_of(node: Node, rule: Rule) -> bool:
    """Whether a run is of the workflow that a rule names, by its name or file."""
    path = str(node.get("path") or "").partition("@")[0]
    named = (str(node.get("name") or ""), path, path.rpartition("/")[2])
    return any(matches(name, [rule.workflow or ""]) for name in named if name)


def run_deployment(node: Node, rule: Rule, naming: Naming) -> Deployment:
    """The deployment that an attempt of a run was."""
    status = _outcome(node)
    return Deployment(
        id=f"run:{node['id']}.{attempt(node)}",
        environment=rule.environment or _ENVIRONMENT,
        status=status,
        service=rule.service,
        repository=naming.known,
        commit_sha=node.get("head_sha"),
        started_at=instant(node.get("run_started_at") or node.get("created_at")),
        finished_at=None if status is Status.IN_PROGRESS else instant(node.get("updated_at")),
        is_bot=naming.author(node.get("triggering_actor") or node.get("actor")).is_bot,
        url=node.get("html_url"),
    )


def job_deployment(job: Node, run: Node, rule: Rule, naming: Naming) -> Deployment | None:
    """The deployment that a job was; None for other jobs."""
    found = rule.expression.fullmatch(str(job.get("name"))) if rule.expression else None
    if found is None:
        return None
    groups, status = found.groupdict(), _outcome(job)
    return Deployment(
        id=f"job:{job['id']}",
        environment=groups.get("environment") or rule.environment or _ENVIRONMENT,
        status=status,
        service=groups.get("service") or rule.service,
        repository=naming.known,
        commit_sha=job.get("head_sha") or run.get("head_sha"),
        started_at=instant(job.get("started_at")),
        finished_at=instant(job.get("completed_at")) if is_completed(job) else None,
        is_bot=naming.author(run.get("triggering_actor") or run.get("actor")).is_bot,
        url=job.get("html_url"),
    )


def _outcome(node: Node) -> Status:
    if not is_completed(node):
        return Status.IN_PROGRESS
    return _ENDED.get(_conclusion(node), Status.CANCELLED)


def _conclusion(node: Node) -> str:
    return str(node.get("conclusion") or "").lower()


def _status(node: Node) -> str:
    return str(node.get("status") or "").lower()
