"""Incidents that are issues: by a label or a type, from their opening to their last closing."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from vpemetrics.collectors.github.parse.naming import Naming, Node, instant, nodes
from vpemetrics.collectors.github.parse.texts import root_cause, services, severity
from vpemetrics.records import Incident


def parse_issue(
    node: Node, labels: Sequence[str], naming: Naming, service: tuple[str, ...] = ()
) -> Incident:
    """The record of an issue that is or was an incident; `labels` tell which issues are.

    `service` is what it is about where no label names one. Without labels its type tells.
    It ends when it is closed, or when nothing marks it as an incident any more.
    """
    own = [str(one.get("name")) for one in nodes(node.get("labels"))]
    texts = [
        node.get("body") or "",
        *(one.get("body") or "" for one in nodes(node.get("comments"))),
    ]
    cause = root_cause(texts, naming)
    return Incident(
        id=naming.numbered(node["number"]),
        service=services(own) or service,
        title=node.get("title"),
        severity=severity(own),
        detected_at=instant(node.get("createdAt")),
        resolved_at=_resolved_at(node, own, labels),
        updated_at=instant(node.get("updatedAt")),
        cause_sha=cause.sha if cause else None,
        cause_change=cause.change if cause else None,
        url=node.get("url"),
    )


def _resolved_at(node: Node, own: Iterable[str], labels: Sequence[str]) -> datetime | None:
    closed_at = instant(node.get("closedAt"))
    if not labels or _small(own) & _small(labels):
        return closed_at
    taken_off = _taken_off_at(nodes(node.get("timelineItems")), _small(labels))
    return min(filter(None, (closed_at, taken_off)), default=None)


def _taken_off_at(events: Iterable[Node], labels: set[str]) -> datetime | None:
    """When the last of the labels was taken off."""
    dates = (
        instant(one.get("createdAt"))
        for one in events
        if one.get("__typename") == "UnlabeledEvent"
        and str((one.get("label") or {}).get("name")).lower() in labels
    )
    return max(filter(None, dates), default=None)


def _small(names: Iterable[str]) -> set[str]:
    return {name.lower() for name in names}
