"""Deployments from what GitHub has: its own, releases, tags, merges, and runs of workflows.

Of GitHub's own the moment of the first success counts, whatever became of them later: the latest
status of an old deployment is `inactive`, and its time is when the next one came. A run that is
run again keeps its id and its creation: the attempt and `run_started_at` tell.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from vpemetrics.collectors.github.options import Rule
from vpemetrics.collectors.github.repository import Naming, nodes, sha_of, tagged
from vpemetrics.collectors.http import Malformed, Node, given, moment, need, part
from vpemetrics.records import Change, Deployment, Run, Status
from vpemetrics.release_titles import names_version, tag_fields
from vpemetrics.rules import is_chosen, matches
from vpemetrics.version_tags import (
    Tag,
    environment_of,
    is_release,
    service_of,
    version_tags,
)

_ENVIRONMENT: Final = "production"
# GitHub was never seen to allow more, and each takes a request:
# https://docs.github.com/en/actions/how-tos/manage-workflow-runs/re-run-workflows-and-jobs
_MOST_ATTEMPTS: Final = 1000

# https://docs.github.com/en/graphql/reference/enums#deploymentstatusstate; without being told
# otherwise, a success makes older deployments of its environment inactive:
# https://docs.github.com/en/rest/deployments/statuses#create-a-deployment-status
_STATES: Final = {
    "FAILURE": Status.FAILED,
    "ERROR": Status.FAILED,
    "INACTIVE": Status.CANCELLED,
    "ABANDONED": Status.CANCELLED,
    "DESTROYED": Status.CANCELLED,
}
_UNDER_WAY: Final = ("IN_PROGRESS",)
_WAS_LIVE: Final = ("ACTIVE", "INACTIVE", "SUCCESS")

# https://docs.github.com/en/rest/guides/using-the-rest-api-to-interact-with-checks#about-check-suites
_CONCLUSIONS: Final = {
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


# https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows
_OF_PULL_REQUESTS: Final = frozenset(
    {
        "pull_request",
        "pull_request_target",
        "pull_request_review",
        "pull_request_review_comment",
        "merge_group",
    }
)


_USUAL_BRANCHES: Final = ("main", "master", "trunk")


class GitHubTag(NamedTuple):
    """A tag on GitHub: its name, its commit and that's title, and when it was made.

    A `light` one was made when its commit was.
    """

    name: str
    sha: str
    made_at: datetime
    light: bool
    title: str | None


def build_deployment(node: Node, rule: Rule, naming: Naming) -> Deployment | None:
    """The record of a deployment of GitHub's own; None if it is none that the rule wants."""
    named = _service_and_environment(node, rule)
    if named is None:
        return None
    service, environment = named
    statuses, task = _statuses(node), (given(node, "task", str) or "")
    status, finished_at = _outcome(node, statuses)
    version = _version(node)
    title = given(part(node, "commit"), "messageHeadline", str)
    created_at = moment(node, "createdAt")
    urls = (given(status, "logUrl", str) for status in nodes(node, "statuses"))
    return Deployment(
        id=f"deployment:{_id(node)}",
        environment=environment,
        status=status,
        service=service,
        repository=naming.known,
        commit_sha=sha_of(node, "commitOid") if node.get("commitOid") else None,
        started_at=_started_at(statuses, finished_at) or created_at,
        finished_at=finished_at,
        is_bot=naming.author(part(node, "creator")).is_bot,
        rollback=True if matches(task, ["*rollback*"]) else None,
        **tag_fields(version, title),
        url=next(filter(None, urls), None),
    )


def build_release_deployment(node: Node, rule: Rule, naming: Naming) -> Deployment | None:
    """The deployment that publishing a release was; None for drafts and what was not chosen."""
    name, published_at = need(node, "tagName", str), moment(node, "publishedAt")
    if node.get("isDraft") or published_at is None:
        return None
    commit = part(node, "tagCommit")
    if not _is_deployed(name, rule) or (node.get("isPrerelease") and not rule.tags):
        return None
    return Deployment(
        id=f"release:{_id(node)}",
        environment=_environment(name, rule),
        status=Status.SUCCEEDED,
        **_service_of_version(name, rule, naming),
        repository=naming.known,
        commit_sha=sha_of(commit) if commit else None,
        finished_at=published_at,
        is_bot=naming.author(part(node, "author")).is_bot,
        **tag_fields(name, given(commit, "messageHeadline", str)),
        url=node.get("url"),
    )


def parse_tag(node: Node) -> GitHubTag | None:
    """A tag; None for tags of anything but a commit."""
    target, commit = part(node, "target"), tagged(node)
    made_at = moment(part(target, "tagger"), "date") or moment(commit, "committedDate")
    if commit.get("__typename") != "Commit" or not made_at:
        return None
    return GitHubTag(
        need(node, "name", str),
        sha_of(commit),
        made_at,
        light=commit is target,
        title=given(commit, "messageHeadline", str),
    )


def build_tag_deployment(tag: GitHubTag, rule: Rule, naming: Naming) -> Deployment | None:
    """The deployment that making a tag was; None for one that was not chosen."""
    if not _is_deployed(tag.name, rule):
        return None
    return Deployment(
        id=f"tag:{naming.known}:{tag.name}",
        environment=_environment(tag.name, rule),
        status=Status.SUCCEEDED,
        **_service_of_version(tag.name, rule, naming),
        repository=naming.known,
        commit_sha=tag.sha,
        version=tag.name,
        finished_at=tag.made_at,
        light_tag=tag.light,
        release_commit=names_version(tag.title, tag.name),
    )


def build_merge_deployment(change: Change, branch: str | None, rule: Rule) -> Deployment | None:
    """The deployment that a merge to the default branch was; None for other pull requests."""
    if change.merged_at is None or change.base_branch != branch:
        return None
    return Deployment(
        id=f"merge:{change.id}",
        environment=rule.environment or _ENVIRONMENT,
        status=Status.SUCCEEDED,
        service=rule.service,
        repository=change.repository,
        commit_sha=change.merge_commit_sha,
        finished_at=change.merged_at,
        url=change.url,
    )


def build_run(node: Node, naming: Naming) -> Run:
    """The record of one attempt of a run; `outcome` is GitHub's conclusion, else its status."""
    ended = is_completed(node)
    return Run(
        id=f"run:{need(node, 'id', int)}.{attempt(node)}",
        repository=naming.known,
        outcome=_conclusion(node) or _run_status(node),
        name=node.get("name"),
        attempt=attempt(node),
        commit_sha=node.get("head_sha"),
        started_at=moment(node, "run_started_at") or moment(node, "created_at"),
        finished_at=moment(node, "updated_at") if ended else None,
    )


def build_run_deployment(node: Node, rule: Rule, naming: Naming) -> Deployment:
    """The deployment that an attempt of a run was."""
    status = _run_outcome(node)
    return Deployment(
        id=f"run:{need(node, 'id', int)}.{attempt(node)}",
        environment=rule.environment or _ENVIRONMENT,
        status=status,
        service=rule.service,
        repository=naming.known,
        commit_sha=node.get("head_sha"),
        started_at=moment(node, "run_started_at") or moment(node, "created_at"),
        finished_at=None if status is Status.IN_PROGRESS else moment(node, "updated_at"),
        is_bot=naming.author(part(node, "triggering_actor") or part(node, "actor")).is_bot,
        url=node.get("html_url"),
    )


def build_job_deployment(job: Node, run: Node, rule: Rule, naming: Naming) -> Deployment | None:
    """The deployment that a job was; None for other jobs."""
    groups = rule.expression.fit(given(job, "name", str) or "") if rule.expression else None
    if groups is None:
        return None
    status = _run_outcome(job)
    return Deployment(
        id=f"job:{need(job, 'id', int)}",
        environment=groups.get("environment") or rule.environment or _ENVIRONMENT,
        status=status,
        service=groups.get("service") or rule.service,
        repository=naming.known,
        commit_sha=job.get("head_sha") or run.get("head_sha"),
        started_at=moment(job, "started_at"),
        finished_at=moment(job, "completed_at") if is_completed(job) else None,
        is_bot=naming.author(part(run, "triggering_actor") or part(run, "actor")).is_bot,
        url=job.get("html_url"),
    )


def attempt(run: Node) -> int:
    """The number of an attempt of a run, from 1."""
    number = given(run, "run_attempt", int) or 1
    if not 1 <= number <= _MOST_ATTEMPTS:
        raise Malformed(f"has {number} as `run_attempt`")
    return number


def is_completed(node: Node) -> bool:
    """Return whether a run or job will not change any more, unless somebody runs it again."""
    return _run_status(node) == "completed" or bool(_conclusion(node))


def is_of(run: Node, rule: Rule) -> bool:
    """Return whether a run is of the workflow that a rule names, by its name or file."""
    path = (given(run, "path", str) or "").partition("@")[0]
    names = ((given(run, "name", str) or ""), path, path.rpartition("/")[2])
    return any(matches(name, [rule.workflow or ""]) for name in names if name)


def may_reach_production(run: Node, rule: Rule, branch: str | None) -> bool:
    """Return whether a run is for what is merged: no pull request, and no branch beside it.

    `branch` is the default branch, if it is known; what a run does not tell speaks for it. One
    that is usually called so may have been it.
    """
    if given(run, "event", str) in _OF_PULL_REQUESTS:
        return False
    name = given(run, "head_branch", str)
    if name is None or branch is None or name in (branch, *_USUAL_BRANCHES):
        return True
    # A tag stands in the place of the branch, and nothing else tells that it is one.
    return matches(name, rule.branches) or is_release(name)


def _service_and_environment(node: Node, rule: Rule) -> tuple[str | None, str] | None:
    """The service and the environment under a rule; None if it does not want the deployment."""
    # https://docs.github.com/en/rest/deployments/deployments#create-a-deployment has the defaults.
    environment = given(node, "environment", str) or _ENVIRONMENT
    task = given(node, "task", str) or "deploy"
    if rule.task and not is_chosen(task, rule.task):
        return None
    if rule.expression:
        groups = rule.expression.fit(environment)
        if groups is None:
            return None
        return groups.get("service") or rule.service, groups.get("environment") or environment
    if rule.environment and not matches(environment, [rule.environment]):
        return None
    return rule.service, environment


def _outcome(
    node: Node, statuses: Sequence[tuple[datetime, str]]
) -> tuple[Status, datetime | None]:
    """The end of a deployment, and its moment: the first success if there ever was one."""
    if succeeded_at := _first(statuses, ("SUCCESS",)):
        return Status.SUCCEEDED, succeeded_at
    state = (given(node, "state", str) or "").upper()
    if not statuses and state in _WAS_LIVE:
        return Status.SUCCEEDED, None  # the history was not given
    # Becoming inactive tells nothing of how it went before.
    last = max((status for status in statuses if status[1] != "INACTIVE"), default=None)
    ended = last[1] if last and last[1] in _STATES else state
    if outcome := _STATES.get(ended):
        return outcome, _first(statuses, (ended,))
    return Status.IN_PROGRESS, None


def _started_at(
    statuses: Iterable[tuple[datetime, str]], finished_at: datetime | None
) -> datetime | None:
    """The moment when it was first under way; that of another try after its end does not count."""
    started_at = _first(statuses, _UNDER_WAY)
    return None if started_at and finished_at and started_at > finished_at else started_at


def _first(statuses: Iterable[tuple[datetime, str]], states: tuple[str, ...]) -> datetime | None:
    return min((at for at, state in statuses if state in states), default=None)


def _statuses(node: Node) -> list[tuple[datetime, str]]:
    """The status history, with the moment of each."""
    statuses = nodes(node, "statuses")
    dated = (
        (moment(status, "createdAt"), (given(status, "state", str) or "").upper())
        for status in statuses
    )
    return [(at, state) for at, state in dated if at]


def _version(node: Node) -> str | None:
    """The tag that was deployed, if it was one."""
    ref = part(node, "ref")
    return given(ref, "name", str) if ref.get("prefix") == "refs/tags/" else None


def _id(node: Node) -> str:
    return str(given(node, "databaseId", int) or need(node, "id", str))


def _environment(tag: str, rule: Rule) -> str:
    """The environment that is configured, else the one that a tag's name tells."""
    told = None if rule.tags else environment_of(tag)
    return rule.environment or told or _ENVIRONMENT


def _is_deployed(name: str, rule: Rule) -> bool:
    return bool(version_tags([Tag(name, "", "")], rule.tags))


def _service_of_version(name: str, rule: Rule, naming: Naming) -> dict[str, Any]:
    """The service of a version, by the rule or its name alone, and how it was chosen."""
    own = service_of(name, naming.known)
    return {
        "service": rule.service or own,
        "service_by_name": True if own and not rule.service else None,
        "chosen_by_name": not rule.tags,
    }


def _run_outcome(node: Node) -> Status:
    if not is_completed(node):
        return Status.IN_PROGRESS
    return _CONCLUSIONS.get(_conclusion(node), Status.CANCELLED)


def _conclusion(node: Node) -> str:
    return (given(node, "conclusion", str) or "").lower()


def _run_status(node: Node) -> str:
    return (given(node, "status", str) or "").lower()
