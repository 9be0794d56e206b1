"""Commits: of a branch's history with their parents, and originals of pull requests without."""

from typing import Any

from vpemetrics.collectors.git.commits import BotAuthors
from vpemetrics.collectors.git.subjects import picked_from, reverts
from vpemetrics.collectors.github.parse.naming import Node, instant, nodes
from vpemetrics.records import Commit


def parse_commit(
    node: Node, repository: str, bots: BotAuthors, paths: tuple[str, ...] | None = None
) -> Commit:
    """The record of a commit; without parents where GitHub was not asked for them."""
    author: Node = node.get("author") or {}
    email, name = author.get("email") or "", author.get("name") or ""
    message: Any = node.get("message") or ""
    return Commit(
        sha=node["oid"],
        repository=repository,
        parents=parents(node),
        authored_at=instant(node.get("authoredDate")),
        committed_at=instant(node.get("committedDate")),
        author=email or name or None,
        is_bot=bots[email, name],
        reverts_sha=reverts(message),
        picked_from_sha=picked_from(message),
        paths=paths,
    )


def parents(node: Node) -> tuple[str, ...]:
    """The parents of a commit, in git's order."""
    return tuple(one["oid"] for one in nodes(node.get("parents")))
