"""The stories of incidents: when they were, and what is held to have caused them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from vpemetrics.explain.model import Fact
from vpemetrics.explain.stories import RecordExplainer, RecordStory, elapsed_time
from vpemetrics.metrics.facts import seconds_between
from vpemetrics.records import Incident
from vpemetrics.store import record_lookup
from vpemetrics.window import to_micros


class IncidentExplainer(RecordExplainer):
    """The explainer of incidents."""

    def incident(self, id_: int, record: Incident) -> RecordStory:
        """An incident: when it was, and what is held to have caused it."""
        began = record.impact_started_at or record.detected_at
        restored = record.mitigated_at or record.resolved_at
        moments = (
            ("impact started", record.impact_started_at),
            ("detected", record.detected_at),
            ("mitigated", record.mitigated_at),
            ("resolved", record.resolved_at),
        )
        facts = [
            *([Fact(name="title", text=record.title)] if record.title else []),
            Fact(name="services", text=", ".join(record.service) or "it names none"),
            *(Fact(name=name, at=at) for name, at in moments if at is not None),
            self._duration(began, restored),
            Fact(name="customers", text=_customers(record)),
            *([Fact(name="external", text="its cause is outside")] if record.external else []),
        ]
        evidence = record_lookup.evidence_about(self.view, incident=id_)
        blaming = [piece for piece in evidence if piece.deployed_id is not None]
        return RecordStory(
            url=record.url,
            facts=(*facts, *self._lack_of_cause(evidence), *self.decisions(record.id)),
            groups=tuple(self.evidence(blaming)),
        )

    def _duration(self, began: datetime | None, restored: datetime | None) -> Fact:
        if began is None:
            return Fact(name="lasted", text="not counted: nobody says when it began")
        if restored is None:
            return Fact(name="lasted", text="still open")
        seconds = float(seconds_between([to_micros(began)], [to_micros(restored)])[0])
        end, start = self.clock(to_micros(restored)), self.clock(to_micros(began))
        if seconds < 0:
            said = f"not counted: it ends, {end}, before it starts, {start}"
            return Fact(name="lasted", text=said)
        return Fact(name="lasted", text=f"{end} − {start} = {elapsed_time(seconds)}")

    def _lack_of_cause(self, evidence: Sequence[Any]) -> Iterable[Fact]:
        if not evidence:
            yield Fact(name="cause", text="E: no service with deployments is concerned")
        for piece in evidence:
            if piece.deployed_id is None:
                kept = "" if piece.chosen else " (overridden)"
                service = self.context.names[piece.service_id]
                yield Fact(name="cause", text=f"E in {service}: {piece.detail}{kept}")


def _customers(record: Incident) -> str:
    if record.customer_affecting is not None:
        return "affected" if record.customer_affecting else "not affected"
    if record.severity is None:
        return "taken as not affected: neither it nor its severity says"
    affected = "affected" if record.severity <= 2 else "not affected"
    return f"taken as {affected} by its severity {record.severity}"
