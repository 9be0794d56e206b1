"""The common part of every story of a record: a view of the store, and what else is known."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from vpemetrics.explain.model import Entry, Fact, RecordGroup
from vpemetrics.lineage.services import Services
from vpemetrics.metrics.facts import CONFIRMED, MetricFacts, Slice
from vpemetrics.metrics.figures import Scope
from vpemetrics.reports import words
from vpemetrics.rules import Rules
from vpemetrics.store import record_lookup
from vpemetrics.store.history import Facts as StoredFacts
from vpemetrics.store.record_lookup import View
from vpemetrics.window import DAY, Micros, Window, date_of, from_micros, to_micros


@dataclass(frozen=True, kw_only=True)
class RecordContext:
    """The rest of what is known: the rules, services by number, the moment data goes up to.

    `facts` gives what happened in a window, as figures see it.
    """

    rules: Rules
    resolver: Services
    names: Mapping[int, str]
    data_as_of: Micros
    facts: Callable[[Window], MetricFacts]


@dataclass(frozen=True, kw_only=True)
class RecordStory:
    """All there is to say of a record."""

    facts: tuple[Fact, ...]
    groups: tuple[RecordGroup, ...] = ()
    url: str | None = None


class RecordExplainer:
    """The explainer of records as lineage left them, one view of the store long."""

    def __init__(self, view: View, context: RecordContext) -> None:
        self.view = view
        self.context = context
        self._zone = ZoneInfo(context.rules.zone)

    @cached_property
    def lineage_facts(self) -> StoredFacts:
        """The facts as lineage reads them."""
        return StoredFacts(self.view, self.context.rules)

    def facts_on(self, service: str, at: Micros) -> Slice:
        """The facts of a service on the date of a moment, as figures see them."""
        zone = self.context.rules.zone
        window = Window(start=date_of(at, zone), end=date_of(at + DAY, zone), zone=zone)
        facts = self.context.facts(window).of((service,), pooled=False)
        return Slice(facts=facts, scope=Scope(kind="service", name=service), window=window)

    def evidence(self, evidence: Sequence[Any]) -> Iterable[RecordGroup]:
        """Evidence that counts, and what was kept though something else was chosen."""
        for chosen, title in ((1, "Evidence that counts"), (0, "Evidence kept, but not chosen")):
            mine = [piece for piece in evidence if piece.chosen == chosen]
            yield RecordGroup(title=title, entries=self.pieces(mine))

    def pieces(self, evidence: Sequence[Any]) -> tuple[Entry, ...]:
        """The failed deployments of pieces of evidence, with what each says."""
        ids = [
            i for piece in evidence for i in (piece.deployed_id, piece.restored_by) if i is not None
        ]
        named = record_lookup.deployments(self.view, ids)
        return tuple(
            Entry(
                kind="deployment",
                id=named[piece.deployed_id].name,
                url=named[piece.deployed_id].url,
                service=self.context.names[piece.service_id],
                what=_piece(piece, named),
            )
            for piece in evidence
            if piece.deployed_id is not None
        )

    def decisions(self, record: str) -> Iterable[Fact]:
        """The decisions of people; who they are stays in the store."""
        for row in record_lookup.decisions_about(self.view, record):
            cause = f" to {row.cause}" if row.cause else ""
            restored = (
                f", restored {self.clock(to_micros(row.restored_at))}" if row.restored_at else ""
            )
            why = f": {row.why}" if row.why else ""
            yield Fact(name="triage", at=row.at, text=f"{row.verdict}{cause}{restored}{why}")

    def clock(self, at: Micros) -> str:
        """A moment on the organisation's clocks, to the second."""
        return f"{from_micros(int(at)).astimezone(self._zone):%Y-%m-%d %H:%M:%S}"


def elapsed_time(seconds: float) -> str:
    """`1 d 02:10:05 = 26 h`."""
    whole = round(seconds)
    days, rest = divmod(whole, 86_400)
    clock = f"{rest // 3600:02}:{rest % 3600 // 60:02}:{rest % 60:02}"
    return f"{f'{days} d ' if days else ''}{clock} = {words.duration(seconds)}"


def _piece(piece: Any, named: Mapping[int, record_lookup.NamedRecord]) -> str:
    sure = "confirmed" if piece.grade in CONFIRMED else "suspected"
    about = f" ({piece.incident})" if piece.incident else ""
    mender = "" if piece.restored_by in (None, piece.deployed_id) else named[piece.restored_by].name
    mended = f", mended by {mender}" if mender not in piece.detail else ""
    return f"{piece.grade} {sure}: {piece.detail}{about}{mended}"
