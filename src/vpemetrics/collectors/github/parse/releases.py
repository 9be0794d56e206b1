"""Releases, tags and merges as deployments, for those who deploy by them."""

from typing import NamedTuple

from vpemetrics.collectors.git.tags import Tag, deployed_tags, service_of
from vpemetrics.collectors.github.options import Rule
from vpemetrics.collectors.github.parse.naming import Naming, Node, instant
from vpemetrics.records import Change, Deployment, Status
from vpemetrics.window import parse_instant

_ENVIRONMENT = "production"


class Tagged(NamedTuple):
    """A tag as GitHub tells it: its name, its commit, and when it or its commit was made."""

    name: str
    sha: str
    made_at: str


def parse_release(node: Node, rule: Rule, naming: Naming) -> Deployment | None:
    """The deployment that publishing a release was; None for drafts and what was not chosen."""
    name, published_at = str(node.get("tagName")), instant(node.get("publishedAt"))
    if node.get("isDraft") or published_at is None:
        return None
    if not _is_deployed(name, rule) or (node.get("isPrerelease") and not rule.tags):
        return None
    return Deployment(
        id=f"release:{node.get('databaseId') or node['id']}",
        environment=rule.environment or _ENVIRONMENT,
        status=Status.SUCCEEDED,
        service=rule.service or service_of(name, naming.known),
        repository=naming.known,
        commit_sha=(node.get("tagCommit") or {}).get("oid"),
        version=name,
        finished_at=published_at,
        is_bot=naming.author(node.get("author")).is_bot,
        url=node.get("url"),
    )


def parse_tag(node: Node) -> Tagged | None:
    """A tag; None for tags of anything but a commit."""
    target: Node = node.get("target") or {}
    commit: Node = (target.get("target") or {}) if target.get("__typename") == "Tag" else target
    made_at = (target.get("tagger") or {}).get("date") or commit.get("committedDate")
    if commit.get("__typename") != "Commit" or not made_at:
        return None
    return Tagged(str(node["name"]), str(commit["oid"]), str(made_at))


def tag_deployment(tag: Tagged, rule: Rule, naming: Naming) -> Deployment | None:
    """The deployment that making a tag was; None for one that was not chosen."""
    if not _is_deployed(tag.name, rule):
        return None
    return Deployment(
        id=f"tag:{naming.known}:{tag.name}",
        environment=rule.environment or _ENVIRONMENT,
        status=Status.SUCCEEDED,
        service=rule.service or service_of(tag.name, naming.known),
        repository=naming.known,
        commit_sha=tag.sha,
        version=tag.name,
        finished_at=parse_instant(tag.made_at),
    )


def merge_deployment(change: Change, branch: str | None, rule: Rule) -> Deployment | None:
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


def _is_deployed(name: str, rule: Rule) -> bool:
    return bool(deployed_tags([Tag(name, "", "")], rule.tags))
