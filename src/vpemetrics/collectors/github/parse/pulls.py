"""Pull requests: what was changed, by whom, and when it was ready, reviewed and merged."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from vpemetrics.collectors.git.subjects import is_merge
from vpemetrics.collectors.github.parse.naming import Author, Naming, Node, instant, nodes
from vpemetrics.collectors.github.parse.texts import named_in, reverted_in
from vpemetrics.records import Change


@dataclass(frozen=True, kw_only=True)
class Pulled:
    """A pull request, and its commits as GitHub tells them.

    `lost` counts commits that it has and GitHub does not give: beyond 250 it gives no more.
    """

    change: Change
    originals: tuple[Node, ...]
    lost: int


def parse_pull(node: Node, naming: Naming) -> Pulled:
    """The record of a pull request with all of its commits and events."""
    given = [one["commit"] for one in nodes(node.get("commits")) if one.get("commit")]
    # Merges are no changes; as no parents tell them, they go by their words.
    originals = tuple(one for one in given if not is_merge(one.get("message") or ""))
    events = nodes(node.get("timelineItems"))
    author = naming.author(node.get("author"))
    reviews = _reviews(events, author, naming)
    title, body = node.get("title") or "", node.get("body") or ""
    own = naming.numbered(node["number"])
    change = Change(
        id=own,
        repository=naming.known,
        number=node["number"],
        url=node.get("url"),
        title=title or None,
        author=author.login,
        is_bot=author.is_bot,
        created_at=instant(node.get("createdAt")),
        ready_at=_ready_at(node, events),
        first_commit_at=_first_at(originals),
        first_review_at=min((at for at, _ in reviews), default=None),
        approved_at=min((at for at, state in reviews if state == "APPROVED"), default=None),
        merged_at=instant(node.get("mergedAt")),
        closed_at=instant(node.get("closedAt")),
        merge_commit_sha=(node.get("mergeCommit") or {}).get("oid"),
        commit_shas=tuple(one["oid"] for one in originals),
        base_branch=node.get("baseRefName"),
        head_branch=node.get("headRefName"),
        additions=node.get("additions"),
        deletions=node.get("deletions"),
        labels=_labels(events),
        reverts=reverted_in(body, naming),
        closes=_closes(f"{title}\n{body}", events, own, naming),
    )
    total = (node.get("commits") or {}).get("totalCount") or 0
    return Pulled(change=change, originals=originals, lost=max(0, total - len(given)))


def _first_at(originals: Iterable[Node]) -> datetime | None:
    dates = (instant(one.get("authoredDate")) for one in originals)
    return min(filter(None, dates), default=None)


def _reviews(events: Iterable[Node], author: Author, naming: Naming) -> list[tuple[datetime, str]]:
    """When people other than the author reviewed, and with what result."""
    found = []
    for one in events:
        if one.get("__typename") != "PullRequestReview" or one.get("state") == "PENDING":
            continue
        reviewer, at = naming.author(one.get("author")), instant(one.get("submittedAt"))
        if at and not reviewer.is_bot and (reviewer.login is None or reviewer != author):
            found.append((at, str(one.get("state"))))
    return found


def _ready_at(node: Node, events: Sequence[Node]) -> datetime | None:
    """When it last became ready for review; None while it is a draft."""
    if node.get("isDraft"):
        return None
    ready = [one for one in events if one.get("__typename") == "ReadyForReviewEvent"]
    dates = (instant(one.get("createdAt")) for one in ready)
    return max(filter(None, dates), default=None) or instant(node.get("createdAt"))


def _labels(events: Iterable[Node]) -> tuple[str, ...]:
    """The labels it has in the end, in the order in which it got them."""
    found: dict[str, None] = {}
    for one in events:
        name = (one.get("label") or {}).get("name")
        if name and one.get("__typename") == "LabeledEvent":
            found[name] = None
        elif name:
            found.pop(name, None)
    return tuple(found)


def _closes(text: str, events: Iterable[Node], own: str, naming: Naming) -> tuple[str, ...]:
    """The issues it names or was linked to, by id: those that are incidents count."""
    found = dict.fromkeys(named_in(text, naming))
    for one in events:
        subject = one.get("subject") or {}
        if "number" not in subject:
            continue
        id_ = naming.numbered(subject["number"], subject["repository"]["nameWithOwner"])
        if one.get("__typename") == "ConnectedEvent":
            found[id_] = None
        else:
            found.pop(id_, None)
    found.pop(own, None)
    return tuple(found)
