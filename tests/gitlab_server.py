"""A GitLab of a few projects on loopback, as its documentation describes the lists we read.

https://docs.gitlab.com/api/rest/ and the pages of projects, commits, merge_requests,
deployments, environments, issues and pipelines below https://docs.gitlab.com/api/.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote, urlencode

from loopback import NOON, Asked, Loopback, Say
from restsources import SECRET, Query

from vpemetrics.window import format_instant, parse_instant

DAY = timedelta(days=1)
BEGIN = NOON - 20 * DAY
PAGE = 2
"""The items of a page where the Link header leads on; a list of commits has what is asked for."""


@dataclass
class Project:
    """One project: its lists by name, its commits by sha (children after their parents)."""

    id: int
    path: str
    branch: str | None = "main"
    features: dict[str, str] = field(default_factory=dict)
    lists: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    changes: dict[int, list[str]] = field(default_factory=dict)
    commits: dict[str, dict[str, Any]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)

    @property
    def node(self) -> dict[str, Any]:
        levels = {f"{name}_access_level": level for name, level in self.features.items()}
        return {
            "id": self.id,
            "path_with_namespace": self.path,
            "default_branch": self.branch,
            **levels,
        }

    def commit(self, sha: str, at: datetime, *parents: str, branch: str | None = "main") -> str:
        """Add a commit, to the end of a branch unless that is None."""
        self.commits[sha] = {
            "id": sha,
            "parent_ids": list(parents),
            "authored_date": format_instant(at),
            "committed_date": format_instant(at),
            "author_email": "jo@acme.example",
            "message": f"Change {sha[:4]}",
        }
        if branch:
            self.branches[branch] = sha
        return sha

    def add(self, name: str, node: Mapping[str, Any]) -> None:
        """Put a thing into a list, in the place of what had its id."""
        others = [other for other in self.lists.get(name, []) if other["id"] != node["id"]]
        self.lists[name] = [*others, dict(node)]

    def ancestors(self, revision: str) -> set[str]:
        """A commit, by itself or a branch, and all below it. KeyError if there is none."""
        todo, found = [self.branches.get(revision, revision)], set[str]()
        while todo:
            sha = todo.pop()
            if sha not in found and (found or sha in self.commits):
                found.add(sha)
                todo += self.commits[sha]["parent_ids"]
        if not found:
            raise KeyError(revision)
        return found


class GitLab:
    """Answers requests about its projects."""

    def __init__(self, server: Loopback, projects: Iterable[Project]) -> None:
        self.projects = list(projects)
        self.unknown = Say(status=404, json={"message": "404 Commit Not Found"})
        self.server = server
        server.answer = self.answer

    def answer(self, asked: Asked) -> Say:
        if asked.headers.get("PRIVATE-TOKEN") != SECRET:
            return Say(status=401, json={"message": "401 Unauthorized"})
        query = Query.of(asked, self.server)
        kind, name, *rest = query.path.split("/", 2)
        if kind == "groups":
            return self._group(query, unquote(name))
        project = next((p for p in self.projects if unquote(name) in (p.path, str(p.id))), None)
        if project is None:
            return Say(status=404, json={"message": "404 Project Not Found"})
        return self._project(project, rest[0], query) if rest else Say(json=project.node)

    def _group(self, query: Query, group: str) -> Say:
        found = [p.node for p in self.projects if p.path.startswith(f"{group}/")]
        if not found:
            return Say(status=404, json={"message": "404 Group Not Found"})
        return self._page(query, found)

    def _project(self, project: Project, path: str, query: Query) -> Say:
        match path.split("/"):
            case ["repository", "commits"]:
                return self._commits(project, query)
            case ["repository", "commits", name]:
                return Say(json=project.commits[project.branches[unquote(name)]])
            case ["merge_requests", iid, "commits"]:
                shas = reversed(project.changes[int(iid)])
                return self._page(query, [{**project.commits[s], "parent_ids": []} for s in shas])
            case ["pipelines", id_]:
                return Say(json=next(p for p in project.lists["pipelines"] if str(p["id"]) == id_))
            case ["environments"]:
                return self._page(query, project.lists.get("environments", []))
            case [name]:
                return self._list(project, name, query)
        return Say(status=404, json={"message": "404 Not Found"})

    def _list(self, project: Project, name: str, query: Query) -> Say:
        """A list in order of change, which is what `updated_after` has to go with."""
        feature = {"deployments": "environments", "pipelines": "builds"}.get(name, name)
        if project.features.get(feature) == "disabled":
            return Say(status=403, json={"message": "403 Forbidden"})
        if (query["order_by"], query["sort"]) != ("updated_at", "asc"):
            return Say(status=400, json={"message": "`updated_at` filter and order must be paired"})
        after = parse_instant(query["updated_after"])
        found = [
            node
            for node in project.lists.get(name, [])
            if changed_at(node) >= after
            and query.get("issue_type", node.get("issue_type", "")) == node.get("issue_type", "")
            and query.get("labels", "") in ["", *node.get("labels", [])]
        ]
        if name == "pipelines":
            times = ("started_at", "finished_at")
            found = [{k: v for k, v in node.items() if k not in times} for node in found]
        return self._page(query, sorted(found, key=lambda node: (changed_at(node), node["id"])))

    def _page(self, query: Query, items: list[Any]) -> Say:
        number = int(query.get("page", "1"))
        url = f"{self.server.url}/{query.path}"
        following = urlencode({**query.parameters, "page": number + 1}, doseq=True)
        links = {"Link": f'<{url}?{following}>; rel="next"'} if number * PAGE < len(items) else {}
        return Say(json=items[number * PAGE - PAGE : number * PAGE], headers=links)

    def _commits(self, project: Project, query: Query) -> Say:
        """The commits of a revision or a range, newest first, in numbered pages."""
        tip, _, head = query["ref_name"].rpartition("..")
        try:
            shas = project.ancestors(head) - (project.ancestors(tip) if tip else set())
        except KeyError:
            return self.unknown
        since = parse_instant(query.get("since", "2000-01-01T00:00:00Z"))
        found = [
            commit
            for sha, commit in reversed(project.commits.items())
            if sha in shas and parse_instant(commit["committed_date"]) >= since
        ]
        number, size = int(query.get("page", "1")), int(query["per_page"])
        return Say(json=found[number * size - size : number * size])


def changed_at(node: Mapping[str, Any]) -> datetime:
    return parse_instant(node.get("updated_at") or node["created_at"])


def sha(number: int) -> str:
    return f"{number:040x}"


def at(days: float) -> str:
    return format_instant(BEGIN + days * DAY)


def change_node(iid: int, *, days: float, merged: float | None = None) -> dict[str, Any]:
    return {
        "id": 1000 + iid,
        "iid": iid,
        "title": f"Change {iid}",
        "web_url": f"https://gitlab.example/acme/shop/-/merge_requests/{iid}",
        "author": {"username": "jo"},
        "created_at": at(days),
        "updated_at": at(days if merged is None else merged),
        "merged_at": None if merged is None else at(merged),
        "closed_at": None,
        "merge_commit_sha": None if merged is None else sha(iid),
        "squash_commit_sha": None,
        "sha": sha(500 + iid),
        "target_branch": "main",
        "source_branch": f"change-{iid}",
        "labels": ["bug"],
    }


def deployment_node(
    id_: int,
    commit: str,
    *,
    days: float,
    status: str = "success",
    environment: str = "live",
    ref: str = "main",
) -> dict[str, Any]:
    over = status not in ("created", "running", "blocked")
    return {
        "id": id_,
        "sha": commit,
        "ref": ref,
        "status": status,
        "created_at": at(days),
        "updated_at": at(days + (0.1 if over else 0)),
        "environment": {"id": {"live": 1, "review/x": 2}.get(environment, 9), "name": environment},
        "deployable": {
            "started_at": at(days),
            "finished_at": at(days + 0.1) if over else None,
            "tag": False,
            "user": {"bot": False},
            "web_url": f"https://gitlab.example/acme/shop/-/jobs/{id_}",
        },
    }


def issue_node(
    iid: int, *, days: float, closed: float | None = None, **more: Any
) -> dict[str, Any]:
    return {
        "id": 2000 + iid,
        "iid": iid,
        "title": f"Outage {iid}",
        "severity": "HIGH",
        "issue_type": "incident",
        "labels": [],
        "web_url": f"https://gitlab.example/acme/shop/-/issues/{iid}",
        "created_at": at(days),
        "updated_at": at(days if closed is None else closed),
        "closed_at": None if closed is None else at(closed),
        **more,
    }


def pipeline_node(id_: int, *, days: float) -> dict[str, Any]:
    return {
        "id": id_,
        "sha": sha(1),
        "status": "success",
        "source": "merge_request_event",
        "created_at": at(days),
        "updated_at": at(days + 0.2),
        "started_at": at(days),
        "finished_at": at(days + 0.1),
    }


def shop() -> Project:
    """A project in its first days: 150 commits, five merge requests, deployments, an incident."""
    project = Project(id=7, path="acme/shop")
    for number in range(150):
        parents = [sha(number - 1)] if number else []
        project.commit(sha(number), BEGIN + number * DAY / 20, *parents)
    for iid in range(1, 6):
        project.commit(sha(500 + iid), BEGIN, sha(iid), branch=None)
        project.changes[iid] = [sha(500 + iid), sha(iid)]
        project.add(
            "merge_requests", change_node(iid, days=iid, merged=iid + 0.5 if iid < 5 else None)
        )
        project.add("deployments", deployment_node(iid, sha(iid), days=iid + 0.6))
    project.add("deployments", deployment_node(8, sha(5), days=6, status="running"))
    project.add("environments", {"id": 1, "name": "live", "tier": "production"})
    project.add("environments", {"id": 2, "name": "review/x", "tier": "development"})
    project.add("issues", issue_node(1, days=3, closed=3.5))
    project.add("issues", issue_node(2, days=5))
    project.add("issues", issue_node(3, days=5, issue_type="issue", labels=["sev1", "outage"]))
    project.add("pipelines", pipeline_node(91, days=2))
    return project
