"""What GitHub answered about one repository, told as records; what it left out asked for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from vpemetrics.collectors.github import queries
from vpemetrics.collectors.github.cursor import OpenItem, SeenCommits
from vpemetrics.collectors.github.paging import Listing, rest
from vpemetrics.collectors.github.parse.commits import parse_commit
from vpemetrics.collectors.github.parse.deployments import parse_deployment
from vpemetrics.collectors.github.parse.issues import parse_issue
from vpemetrics.collectors.github.parse.naming import Node, instant
from vpemetrics.collectors.github.parse.pulls import Pulled, parse_pull
from vpemetrics.collectors.github.parse.releases import (
    merge_deployment,
    parse_release,
    parse_tag,
    tag_deployment,
)
from vpemetrics.collectors.github.repository import RepositoryTarget
from vpemetrics.records import AnyRecord, Deployment, Status


def _within(query: str, connection: str) -> Listing:
    return Listing(query=query, path=("node", connection), whole=True)


_PULL_COMMITS: Final = _within(queries.PULL_COMMITS, "commits")
_PULL_EVENTS: Final = _within(queries.PULL_EVENTS, "timelineItems")
_STATUSES: Final = _within(queries.STATUSES, "statuses")
_COMMENTS: Final = _within(queries.ISSUE_COMMENTS, "comments")
_EVENTS: Final = _within(queries.ISSUE_EVENTS, "timelineItems")

_MAY_END: Final = timedelta(days=90)
_MAY_RECOVER: Final = timedelta(days=7)
"""For how long a deployment that goes on, or failed, is asked about again."""
_TRIES: Final = 5


class BuiltRecords(NamedTuple):
    """The records of one thing, and what of it is still open; None if nothing is."""

    records: Sequence[AnyRecord]
    open: OpenItem | None = None


@dataclass(frozen=True, kw_only=True)
class GitHubRecordBuilder:
    """Tells what a repository's pull requests, deployments and issues are.

    Originals of pull requests are only told where they are not in `known`, the commits that are
    told with their parents, and not at all where a mirror `has_originals`.
    """

    target: RepositoryTarget
    known: SeenCommits
    has_originals: bool = False

    def tell(self, node: Node, kind: str) -> BuiltRecords:
        """A thing of a kind as GitHub names it."""
        match kind:
            case "PullRequest":
                return BuiltRecords(self.pull(node))
            case "Deployment":
                return self.deployment(node)
            case "Issue":
                return self.issue(node)
            case "Release":
                return BuiltRecords(self.release(node))
        return BuiltRecords(self.tag(node))

    def pull(self, node: Node) -> list[AnyRecord]:
        """A pull request; the commits of a merged one; and the deployment its merge may be."""
        whole = self._whole(node, {"commits": _PULL_COMMITS, "timelineItems": _PULL_EVENTS})
        pulled = parse_pull(whole, self.target.naming)
        records: list[AnyRecord] = [pulled.change]
        if pulled.change.merged_at and not self.target.paths and not self.has_originals:
            records += self._originals(pulled)
        branch = self.target.probe.branch
        for rule in self.target.rules_from("merges"):
            if made := merge_deployment(pulled.change, branch, rule):
                records.append(made)
        return records

    def deployment(self, node: Node) -> BuiltRecords:
        """A deployment under the first rule that wants it."""
        whole = self._whole(node, {"statuses": _STATUSES})
        for rule in self.target.rules_from("environments"):
            if made := parse_deployment(whole, rule, self.target.naming):
                return BuiltRecords([made], self._still_open(whole, made))
        return BuiltRecords([])

    def issue(self, node: Node) -> BuiltRecords:
        """An incident."""
        whole = self._whole(node, {"comments": _COMMENTS, "timelineItems": _EVENTS})
        naming, incidents = self.target.naming, self.target.options.incidents
        labels = () if incidents.types else incidents.labels
        service = () if self.target.tells_of_all else (naming.known,)
        made = parse_issue(whole, labels, naming, service)
        still = OpenItem(
            kind="Issue",
            created_at=made.detected_at or self.target.now,
            updated_at=made.updated_at,
        )
        return BuiltRecords([made], None if made.resolved_at else still)

    def release(self, node: Node) -> Sequence[AnyRecord]:
        """The deployment a release was."""
        rules = self.target.rules_from("releases")
        made = (parse_release(node, rule, self.target.naming) for rule in rules)
        return [one for one in made if one][:1]

    def tag(self, node: Node) -> Sequence[AnyRecord]:
        """The deployment a tag was."""
        tag, rules = parse_tag(node), self.target.rules_from("tags")
        if tag is None:
            return []
        made = (tag_deployment(tag, rule, self.target.naming) for rule in rules)
        return [one for one in made if one][:1]

    def again(self, node: Node, before: OpenItem) -> OpenItem | None:
        """What a thing is of which GitHub left something out: to be asked for some more times."""
        tries = before.tries + 1
        created_at = instant(node.get("createdAt")) or before.created_at
        if tries >= _TRIES:
            return None
        return OpenItem(kind=before.kind, created_at=created_at, tries=tries)

    def tips(self, records: Sequence[AnyRecord]) -> Iterator[str]:
        """The commits of production deployments, whose history is wanted."""
        for one in records:
            if not isinstance(one, Deployment) or one.status is not Status.SUCCEEDED:
                continue
            if one.commit_sha and self.target.is_production(one.environment):
                yield one.commit_sha

    def _whole(self, node: Node, parts: dict[str, Listing]) -> Node:
        """A thing with all that is in it, however many pages that takes."""
        full = {
            name: rest(self.target.asking, listing, {"id": node["id"]}, node.get(name) or {})
            for name, listing in parts.items()
        }
        return {**node, **full}

    def _originals(self, pulled: Pulled) -> Iterator[AnyRecord]:
        for one in pulled.originals:
            if one["oid"] not in self.known:
                yield parse_commit(one, self.target.naming.known, self.target.bots)

    def _still_open(self, node: Node, made: Deployment) -> OpenItem | None:
        if made.status is Status.SUCCEEDED:
            return None
        created_at = instant(node.get("createdAt")) or self.target.now
        may_go_on = _MAY_END if made.status is Status.IN_PROGRESS else _MAY_RECOVER
        if created_at < self.target.now - may_go_on:
            return None
        return OpenItem(kind="Deployment", created_at=created_at, updated_at=_updated_at(node))


def _updated_at(node: Node) -> datetime | None:
    return instant(node.get("updatedAt"))
