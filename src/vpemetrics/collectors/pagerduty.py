"""PagerDuty as a source: incidents, with the times that their log entries tell."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import ClassVar, Final

from vpemetrics.collectors import base, http
from vpemetrics.collectors.discovery import Setting, SourceProposal
from vpemetrics.collectors.http import Node, instant
from vpemetrics.names import first_few
from vpemetrics.records import AnyRecord, CoverageKind, Incident, Triage, Verdict
from vpemetrics.window import format_instant, parse_instant

# At most six months at a time, and `offset` and `limit` together at most 10,000; as the list is
# read by its moments, an offset only grows within one: https://developer.pagerduty.com/docs/pagination
_SPAN: Final = timedelta(days=180)
_LIMIT: Final = 100
# https://developer.pagerduty.com/docs/versioning
_ACCEPT: Final = {"Accept": "application/vnd.pagerduty+json;version=2"}
_HOSTS: Final = ("api.pagerduty.com", "api.eu.pagerduty.com")
_TOKENS: Final = ("env:PAGERDUTY_TOKEN", "env:PAGERDUTY_API_KEY")
_LEVEL: Final = re.compile(r"(?:P|SEV)\D?(\d)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Options:
    """The services whose incidents are collected, by their ids, and who asks; by default all.

    `url` is `https://api.eu.pagerduty.com` for accounts in Europe.
    """

    # https://github.com/PagerDuty/terraform-provider-pagerduty (PAGERDUTY_TOKEN)
    vendor: ClassVar = base.Vendor(hosts=_HOSTS, tokens=("env:PAGERDUTY_TOKEN",))
    token: str
    url: str = "https://api.pagerduty.com"
    services: tuple[str, ...] = ()
    since: date | None = None
    max_answer: str = "64MiB"

    def __post_init__(self) -> None:
        http.check_settings(self.token, self.max_answer, example="env:PAGERDUTY_TOKEN")


def parse_incident(node: Node, entries: list[Node]) -> Incident:
    """An incident, from its first acknowledgement to its last resolution.

    Where the log has no resolution, it is over since its status changed last.
    """
    acknowledged = _moments(entries, "acknowledge_log_entry")
    resolved = _moments(entries, "resolve_log_entry")
    changed_at = instant(node["last_status_change_at"])
    level = _LEVEL.match((node.get("priority") or {}).get("summary") or "")
    return Incident(
        id=node["id"],
        service=(node["service"]["summary"],),
        title=node.get("title") or node.get("summary"),
        severity=int(level[1]) if level else None,
        detected_at=instant(node["created_at"]),
        acknowledged_at=min(acknowledged, default=None),
        resolved_at=max(resolved, default=changed_at) if node["status"] == "resolved" else None,
        updated_at=instant(node.get("updated_at")) or changed_at,
        url=node.get("html_url"),
    )


def parse_merge(node: Node, incident: Incident) -> Triage | None:
    """The decision of whoever merged an incident into another: it is none of its own."""
    # https://developer.pagerduty.com/api-reference/ (merge incidents, resolve_reason)
    reason = node.get("resolve_reason") or {}
    if reason.get("type") != "merge_resolve_reason" or not incident.resolved_at:
        return None
    into = (reason.get("incident") or {}).get("summary") or "another incident"
    who, when, why = "PagerDuty", incident.resolved_at, f"merged into {into}"
    return Triage(record=incident.id, verdict=Verdict.REJECT, when=when, who=who, why=why)


def collect(options: Options, context: base.CollectionContext) -> Iterator[base.Batch]:
    """The news since the cursors; incidents that were open are asked for again."""
    with _client(options, context) as client:

        def parse(node: Node) -> Iterator[AnyRecord]:
            if node["status"] not in ("triggered", "acknowledged", "resolved"):
                raise http.NotUnderstood(f"status {node['status']!r}")
            path, asked = f"incidents/{node['id']}/log_entries", {"limit": _LIMIT, "offset": 0}
            entries = client.items(path, asked, paging=http.Offset(), key="log_entries")
            incident = parse_incident(node, list(entries))
            yield incident
            if merge := parse_merge(node, incident):
                yield merge

        def wanted(start: datetime, end: datetime) -> dict[str, object]:
            stretch = {"since": format_instant(start), "until": format_instant(end)}
            page = {"limit": _LIMIT, "offset": 0, "sort_by": "created_at:asc"}
            return {**stretch, **page, "service_ids[]": options.services}

        incidents = http.Feed(
            name="incidents",
            kind=CoverageKind.INCIDENTS,
            path="incidents",
            parameters=wanted,
            parse=parse,
            paging=http.Offset(),
            key="incidents",
            moment=lambda node: instant(node["created_at"]),
            span=_SPAN,
            refetch=lambda id_: client.get(f"incidents/{id_}")["incident"],
            settings=options.services,
        )
        since = context.begin(options.since)
        yield from http.collect_feeds(client, [incidents], context, scope="*", since=since)


def check(options: Options, context: base.CollectionContext) -> Iterator[base.Finding]:
    """The services that are asked about, and how many incidents they had of late."""
    with _client(options, context) as client:
        asked = {"limit": _LIMIT, "offset": 0}
        services = client.items("services", asked, paging=http.Offset(), key="services")
        names = {http.need(node, "id", str): http.need(node, "name", str) for node in services}
        since = format_instant(context.now - timedelta(days=90))
        late = {"since": since, "until": format_instant(context.now), "limit": 1, "total": True}
        found = client.get("incidents", {**late, "service_ids[]": options.services})
    yield base.Finding(topic="services", text=f"{len(names)}: {first_few(list(names.values()), 5)}")
    for id_ in options.services:
        if id_ not in names:
            text = f"there is no service with the id {id_}"
            yield base.Finding(
                topic="services", level=base.Level.ERROR, text=text, mend="correct `services`"
            )
    yield base.Finding(topic="incidents", text=f"{http.count(found, 'total'):,} in 90 days")


def discover(context: base.DiscoveryContext) -> Iterator[SourceProposal]:
    """A source where a key is at hand in the environment."""
    if token := context.first_secret(*_TOKENS):
        found = f"a key for PagerDuty in {token.removeprefix('env:')}"
        setting = Setting(key="token", value=token)
        yield SourceProposal(name="pagerduty", type="pagerduty", lines=(setting,), found=found)


def _client(options: Options, context: base.CollectionContext) -> http.HttpClient:
    # https://developer.pagerduty.com/docs/authentication
    scheme = "Token token="
    return http.connect(options, context, server="PagerDuty", scheme=scheme, headers=_ACCEPT)


def _moments(entries: list[Node], kind: str) -> list[datetime]:
    return [parse_instant(entry["created_at"]) for entry in entries if entry["type"] == kind]
