"""The shapes in which REST tells what a simulated GitHub holds: a function for each kind of thing.

The fields are those of GitHub's answers, without most addresses. `api` is the REST address.
"""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from github_server.files import Blob
from github_server.lists import issue_state, pull_state
from github_server.things import (
    Account,
    Attempt,
    Commit,
    Deployment,
    DeploymentStatus,
    Environment,
    Issue,
    Job,
    Kind,
    Label,
    Pull,
    Release,
    Review,
    Run,
    Signature,
    Workflow,
    timestamp,
)
from github_server.world import Repo

Shape = dict[str, Any]


def account(one: Account | None, api: str) -> Shape | None:
    """An account; REST names bots with `[bot]`."""
    if one is None:
        return None
    login = f"{one.login}[bot]" if one.kind is Kind.BOT else one.login
    return {
        "login": login,
        "id": one.database_id,
        "node_id": one.id,
        "url": f"{api}/users/{login}",
        "html_url": one.url,
        "type": one.kind.value,
        "site_admin": False,
    }


def minimal_repository(one: Repo, api: str) -> Shape:
    """A repository where it is told of something else."""
    return {
        "id": one.database_id,
        "node_id": one.id,
        "name": one.name,
        "full_name": one.full_name,
        "private": one.private,
        "owner": account(one.owner, api),
        "html_url": one.url,
        "description": None,
        "fork": one.fork,
        "url": f"{api}/repos/{one.full_name}",
    }


def repository(one: Repo, api: str) -> Shape:
    """A repository."""
    return {
        **minimal_repository(one, api),
        "clone_url": f"{one.url}.git",
        "created_at": timestamp(one.created_at),
        "updated_at": timestamp(one.updated_at),
        "pushed_at": timestamp(one.pushed_at),
        "archived": one.archived,
        "disabled": False,
        "has_issues": True,
        "default_branch": one.default_branch or "main",
        "visibility": "private" if one.private else "public",
        "size": len(one.commits),
    }


def label(one: Label, api: str) -> Shape:
    """A label."""
    return {
        "id": one.database_id,
        "node_id": one.id,
        "url": f"{_home(one.repo, api)}/labels/{one.name}",
        "name": one.name,
        "color": one.color,
        "default": False,
        "description": None,
    }


def pull(one: Pull, api: str) -> Shape:
    """A pull request in a list; `merge_commit_sha` is of a test merge while it is not merged."""
    home = _home(one.repo, api)
    return {
        "url": f"{home}/pulls/{one.number}",
        "id": one.database_id,
        "node_id": one.id,
        "html_url": one.url,
        "issue_url": f"{home}/issues/{one.number}",
        "number": one.number,
        "state": _pull_state(one),
        "locked": False,
        "title": one.title,
        "user": account(one.author, api),
        "body": one.body or None,
        "created_at": timestamp(one.created_at),
        "updated_at": timestamp(one.updated_at),
        "closed_at": timestamp(one.closed_at),
        "merged_at": timestamp(one.merged_at),
        "merge_commit_sha": one.merge_commit or one.test_merge,
        "assignee": None,
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "labels": [label(each, api) for each in one.labels],
        "milestone": None,
        "draft": one.is_draft,
        "head": _end(one.head_repo, one.head, one.head_oid, api),
        "base": _end(one.repo, one.base, one.base_oid, api),
        "author_association": "MEMBER",
        "auto_merge": None,
        "active_lock_reason": None,
    }


def whole_pull(one: Pull, api: str) -> Shape:
    """A pull request by itself, with what lists leave out."""
    return {
        **pull(one, api),
        "merged": one.merged_at is not None,
        "mergeable": None,
        "merged_by": account(one.merged_by, api),
        "comments": len(_comments(one)),
        "commits": len(one.commits),
        "additions": one.additions,
        "deletions": one.deletions,
        "changed_files": one.changed_files,
    }


def review(one: Review, api: str) -> Shape:
    """A review."""
    return {
        "id": one.database_id,
        "node_id": one.id,
        "user": account(one.author, api),
        "body": one.body,
        "state": one.state,
        "html_url": one.url,
        "pull_request_url": f"{_home(one.pull.repo, api)}/pulls/{one.pull.number}",
        "author_association": "MEMBER",
        "submitted_at": timestamp(one.submitted_at),
        "commit_id": one.commit,
    }


def issue(one: Issue | Pull, api: str) -> Shape:
    """An issue, or a pull request where issues are listed: the latter says so."""
    home = _home(one.repo, api)
    shape = {
        "url": f"{home}/issues/{one.number}",
        "html_url": one.url,
        "id": one.database_id,
        "node_id": one.id,
        "number": one.number,
        "title": one.title,
        "user": account(one.author, api),
        "labels": [label(each, api) for each in one.labels],
        "state": (issue_state(one) if isinstance(one, Issue) else _pull_state(one)).lower(),
        "locked": False,
        "assignee": None,
        "assignees": [],
        "milestone": None,
        "comments": len(_comments(one)),
        "created_at": timestamp(one.created_at),
        "updated_at": timestamp(one.updated_at),
        "closed_at": timestamp(one.closed_at),
        "author_association": "MEMBER",
        "active_lock_reason": None,
        "body": one.body or None,
        "performed_via_github_app": None,
        "state_reason": None,
    }
    if isinstance(one, Issue):
        reason = one.state_reason.lower() if one.state_reason else None
        kind = {"name": one.type, "description": None} if one.type else None
        return {**shape, "state_reason": reason, "type": kind}
    merged = {
        "url": f"{home}/pulls/{one.number}",
        "html_url": one.url,
        "merged_at": timestamp(one.merged_at),
    }
    return {**shape, "draft": one.is_draft, "pull_request": merged}


def commit(one: Commit, api: str) -> Shape:
    """A commit."""
    home = _home(one.repo, api)
    return {
        "sha": one.oid,
        "node_id": one.id,
        "commit": {
            "author": _signature(one.author),
            "committer": _signature(one.committer),
            "message": one.message,
            "url": f"{home}/git/commits/{one.oid}",
            "comment_count": 0,
        },
        "url": f"{home}/commits/{one.oid}",
        "html_url": one.url,
        "author": account(one.author.account, api),
        "committer": account(one.committer.account, api),
        "parents": [{"sha": oid, "url": f"{home}/commits/{oid}"} for oid in one.parents],
    }


def deployment(one: Deployment, api: str) -> Shape:
    """A deployment; only here it says whether it is one of production."""
    url = f"{_home(one.repo, api)}/deployments/{one.database_id}"
    return {
        "url": url,
        "id": one.database_id,
        "node_id": one.id,
        "sha": one.commit,
        "ref": one.ref,
        "task": one.task,
        "payload": one.payload or {},
        "original_environment": one.environment,
        "environment": one.environment,
        "description": one.description or None,
        "creator": account(one.creator, api),
        "created_at": timestamp(one.created_at),
        "updated_at": timestamp(one.updated_at),
        "statuses_url": f"{url}/statuses",
        "repository_url": _home(one.repo, api),
        "performed_via_github_app": None,
        "transient_environment": one.transient,
        "production_environment": one.production,
    }


def deployment_status(one: DeploymentStatus, api: str) -> Shape:
    """One word on a deployment."""
    url = f"{_home(one.deployment.repo, api)}/deployments/{one.deployment.database_id}"
    return {
        "url": f"{url}/statuses/{one.database_id}",
        "id": one.database_id,
        "node_id": one.id,
        "state": one.state.lower(),
        "creator": account(one.creator, api),
        "description": one.description,
        "environment": one.environment,
        "target_url": one.log_url or "",
        "created_at": timestamp(one.created_at),
        "updated_at": timestamp(one.created_at),
        "deployment_url": url,
        "repository_url": _home(one.deployment.repo, api),
        "environment_url": "",
        "log_url": one.log_url or "",
        "performed_via_github_app": None,
    }


def environment(one: Environment, api: str) -> Shape:
    """An environment; that it is one of production GitHub says of deployments only."""
    return {
        "id": one.database_id,
        "node_id": one.id,
        "name": one.name,
        "url": f"{_home(one.repo, api)}/environments/{one.name}",
        "html_url": f"{one.repo.url}/deployments/activity_log?environments_filter={one.name}",
        "created_at": timestamp(one.created_at),
        "updated_at": timestamp(one.created_at),
        "can_admins_bypass": True,
        "protection_rules": [],
        "deployment_branch_policy": None,
    }


def release(one: Release, api: str) -> Shape:
    """A release."""
    return {
        "url": f"{_home(one.repo, api)}/releases/{one.database_id}",
        "html_url": one.url,
        "id": one.database_id,
        "node_id": one.id,
        "author": account(one.author, api),
        "tag_name": one.tag_name,
        "target_commitish": one.repo.default_branch,
        "name": one.name,
        "draft": one.is_draft,
        "prerelease": one.is_prerelease,
        "created_at": timestamp(one.created_at),
        "published_at": timestamp(one.published_at),
        "assets": [],
        "body": one.body,
    }


def workflow(one: Workflow, api: str) -> Shape:
    """A workflow."""
    return {
        "id": one.database_id,
        "node_id": f"W_{one.database_id}",
        "name": one.name,
        "path": one.path,
        "state": "active",
        "created_at": timestamp(one.created_at),
        "updated_at": timestamp(one.created_at),
        "url": f"{_home(one.repo, api)}/actions/workflows/{one.database_id}",
        "html_url": f"{one.repo.url}/blob/{one.repo.default_branch}/{one.path}",
    }


def run(one: Run, api: str, attempt: Attempt | None = None) -> Shape:
    """A run as its last attempt, or another one, shows it."""
    shown = attempt or one.latest
    url = f"{_home(one.repo, api)}/actions/runs/{one.database_id}"
    before = f"{url}/attempts/{shown.number - 1}" if shown.number > 1 else None
    return {
        "id": one.database_id,
        "name": one.workflow.name,
        "node_id": f"WFR_{one.database_id}",
        "head_branch": one.branch,
        "head_sha": one.sha,
        "path": one.workflow.path,
        "display_title": one.title,
        "run_number": one.number,
        "event": one.event,
        "status": shown.status,
        "conclusion": shown.conclusion,
        "workflow_id": one.workflow.database_id,
        "url": url,
        "html_url": one.url,
        "pull_requests": [],
        "created_at": timestamp(one.created_at),
        "updated_at": timestamp(shown.updated_at),
        "actor": account(one.actor, api),
        "run_attempt": shown.number,
        "referenced_workflows": [],
        "run_started_at": timestamp(shown.started_at),
        "triggering_actor": account(shown.actor or one.actor, api),
        "jobs_url": f"{url}/jobs",
        "logs_url": f"{url}/logs",
        "previous_attempt_url": before,
        "workflow_url": f"{_home(one.repo, api)}/actions/workflows/{one.workflow.database_id}",
        "head_commit": _head(one),
        "repository": minimal_repository(one.repo, api),
        "head_repository": minimal_repository(one.repo, api),
    }


def job(one: Job, of: Run, attempt: Attempt, api: str) -> Shape:
    """A job of an attempt."""
    home = _home(of.repo, api)
    return {
        "id": one.database_id,
        "run_id": of.database_id,
        "workflow_name": of.workflow.name,
        "head_branch": of.branch,
        "run_url": f"{home}/actions/runs/{of.database_id}",
        "run_attempt": attempt.number,
        "node_id": f"CR_{one.database_id}",
        "head_sha": of.sha,
        "url": f"{home}/actions/jobs/{one.database_id}",
        "html_url": f"{of.url}/job/{one.database_id}",
        "status": one.status,
        "conclusion": one.conclusion,
        "created_at": timestamp(attempt.started_at),
        "started_at": timestamp(one.started_at),
        "completed_at": timestamp(one.completed_at),
        "name": one.name,
        "steps": [],
        "labels": [],
        "runner_id": None,
        "runner_name": None,
        "runner_group_id": None,
        "runner_group_name": None,
    }


def branch(repo: Repo, name: str, api: str) -> Shape:
    """A branch in a list."""
    oid = repo.branches[name]
    return {
        "name": name,
        "commit": {"sha": oid, "url": f"{_home(repo, api)}/commits/{oid}"},
        "protected": name == repo.default_branch,
    }


def tag(repo: Repo, name: str, api: str) -> Shape:
    """A tag in a list, with the commit that it stands for."""
    oid = repo.commit_of_tag(name)
    return {
        "name": name,
        "commit": {"sha": oid, "url": f"{_home(repo, api)}/commits/{oid}"},
        "node_id": f"REF_{repo.database_id}_{name}",
    }


def file(one: Blob, api: str) -> Shape:
    """A file with its content."""
    return {
        **entry(one.repo, one.path, api),
        "size": one.size,
        "sha": one.oid,
        "encoding": "base64",
        "content": b64encode(one.text.encode()).decode(),
    }


def entry(repo: Repo, path: str, api: str, kind: str = "file") -> Shape:
    """A file or folder in the list of a folder."""
    return {
        "type": kind,
        "name": path.rpartition("/")[2],
        "path": path,
        "url": f"{_home(repo, api)}/contents/{path}?ref={repo.default_branch}",
        "html_url": f"{repo.url}/blob/{repo.default_branch}/{path}",
    }


def _home(repo: Repo, api: str) -> str:
    return f"{api}/repos/{repo.full_name}"


def _pull_state(one: Pull) -> str:
    return "open" if pull_state(one) == "OPEN" else "closed"


def _comments(one: Issue | Pull) -> list[Any]:
    return [item for item in one.timeline if item.TYPENAME == "IssueComment"]


def _end(repo: Repo | None, name: str, oid: str, api: str) -> Shape:
    """Base or head; the head's repository may be gone."""
    owner = repo.owner if repo else None
    return {
        "label": f"{owner.login if owner else 'unknown'}:{name}",
        "ref": name,
        "sha": oid,
        "user": account(owner, api),
        "repo": repository(repo, api) if repo else None,
    }


def _signature(one: Signature) -> Mapping[str, str | None]:
    return {"name": one.name, "email": one.email, "date": timestamp(one.date)}


def _head(one: Run) -> Shape | None:
    found = one.repo.commits.get(one.sha)
    if found is None:
        return None
    return {
        "id": found.oid,
        "message": found.message,
        "timestamp": timestamp(found.committer.date),
        "author": {"name": found.author.name, "email": found.author.email},
        "committer": {"name": found.committer.name, "email": found.committer.email},
    }
