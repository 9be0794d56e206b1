"""A PagerDuty on loopback, with the limits that its documentation names.

https://developer.pagerduty.com/docs/pagination and the lists of incidents, their log entries
and services below https://developer.pagerduty.com/api-reference/.
"""

from datetime import datetime, timedelta
from typing import Any

from loopback import Asked, Loopback, Say
from restsources import SECRET, Query

from vpemetrics.window import parse_instant

PAGE = 2
"""The items of a page, whatever `limit` asks for."""
_LONGEST = timedelta(days=184)
_DEEPEST = 10_000


class PagerDuty:
    """Answers requests about its incidents; `log` has the entries of each, latest first."""

    def __init__(self, server: Loopback) -> None:
        self.incidents: dict[str, dict[str, Any]] = {}
        self.log: dict[str, list[dict[str, Any]]] = {}
        self.services = {"S1": "Shop", "S2": "Till"}
        self.server = server
        server.answer = self.answer

    def incident(
        self, id_: str, at: datetime, status: str = "triggered", *, service: str = "S1", **more: Any
    ) -> None:
        """Put an incident in, with a log that says when it was triggered."""
        self.incidents[id_] = {
            "id": id_,
            "title": f"Alarm {id_}",
            "status": status,
            "created_at": _spelled(at),
            "last_status_change_at": _spelled(at),
            "service": {"id": service, "summary": self.services[service]},
            "html_url": f"https://acme.pagerduty.example/incidents/{id_}",
            **more,
        }
        self.log[id_] = []
        self.note(id_, "trigger", at)

    def note(self, id_: str, kind: str, at: datetime, status: str | None = None) -> None:
        """Write an entry into an incident's log."""
        entry = {"type": f"{kind}_log_entry", "created_at": _spelled(at)}
        self.log[id_].insert(0, {**entry, "id": f"{id_}-{len(self.log[id_])}"})
        if status:
            self.incidents[id_] |= {"status": status, "last_status_change_at": _spelled(at)}

    def answer(self, asked: Asked) -> Say:
        if asked.headers.get("Authorization") != f"Token token={SECRET}":
            return Say(status=401, json={"error": {"message": "Unauthorized"}})
        if asked.headers.get("Accept") != "application/vnd.pagerduty+json;version=2":
            return Say(status=406, json={"error": {"message": "Not Acceptable"}})
        query = Query.of(asked, self.server)
        match query.path.split("/"):
            case ["incidents"]:
                return self._incidents(query)
            case ["incidents", id_, "log_entries"] if id_ in self.log:
                return self._page(query, "log_entries", self.log[id_])
            case ["incidents", id_] if id_ in self.incidents:
                return Say(json={"incident": self.incidents[id_]})
            case ["services"]:
                services = [{"id": id_, "name": name} for id_, name in self.services.items()]
                return self._page(query, "services", services)
        return Say(status=404, json={"error": {"message": "Not Found"}})

    def _incidents(self, query: Query) -> Say:
        since, until = parse_instant(query["since"]), parse_instant(query["until"])
        if until - since > _LONGEST:
            return _refused("the range of since and until is limited to six months")
        wanted = query.parameters.get("service_ids[]", list(self.services))
        found = [
            incident
            for incident in self.incidents.values()
            if since <= parse_instant(incident["created_at"]) < until
            and incident["service"]["id"] in wanted
        ]
        if query.get("sort_by") == "created_at:asc":
            found.sort(key=lambda incident: parse_instant(incident["created_at"]))
        return self._page(query, "incidents", found)

    def _page(self, query: Query, key: str, items: list[Any]) -> Say:
        offset, limit = int(query.get("offset", "0")), int(query.get("limit", "25"))
        if limit > 100 or offset + limit > _DEEPEST:
            return _refused("offset and limit together are at most 10,000")
        until = offset + min(limit, PAGE)
        body = {key: items[offset:until], "offset": offset, "limit": limit}
        total = {"total": len(items) if query.get("total") == "true" else None}
        return Say(json={**body, **total, "more": until < len(items)})


def _spelled(at: datetime) -> str:
    """A moment as an account in Lisbon's summer has it."""
    return (at + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S+01:00")


def _refused(message: str) -> Say:
    return Say(status=400, json={"error": {"message": message}})
