"""Rows of facts as entries of an explanation, with the names that their records have."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from vpemetrics.explain.frames import Rows, frame
from vpemetrics.explain.model import KINDS, Entry, RecordGroup
from vpemetrics.metrics.facts import Slice
from vpemetrics.metrics.figures import Unit
from vpemetrics.reports import words
from vpemetrics.store import metric_queries, record_lookup
from vpemetrics.store.record_lookup import View
from vpemetrics.window import MISSING, known_instant

_KIND_WORDS: Final = {"attempt": "failed attempt, never reached production"}


class EntryBuilder:
    """A builder of entries from rows of frames; names are read from the store."""

    def __init__(self, view: View, cut: Slice) -> None:
        self.view = view
        self.cut = cut

    def deployments(
        self,
        rows: Rows,
        what: Callable[[Any], str],
        *,
        id_: str = "id",
        value: str | None = None,
        start: str | None = None,
    ) -> tuple[Entry, ...]:
        """Deployments, or what happened to them, in the order of the rows."""
        named = record_lookup.deployments(self.view, rows[id_].tolist())
        return tuple(
            Entry(
                kind="deployment",
                id=(name := named[getattr(row, id_)]).name,
                url=name.url,
                service=row.service,
                at=known_instant(row.finished_at),
                start_at=known_instant(getattr(row, start)) if start else None,
                value=float(getattr(row, value)) if value else None,
                open=not getattr(row, "over", True),
                what=", ".join(filter(None, (_short(name.commit), what(row)))),
            )
            for row in rows.itertuples()
        )

    def kinds(self, rows: Rows) -> tuple[Entry, ...]:
        """Deployments with their kinds, in the order of the rows."""
        return self.deployments(rows, lambda row: _KIND_WORDS.get(row.kind, row.kind))

    def changes(
        self,
        rows: Rows,
        *,
        value: str | None = None,
        total: str | None = None,
        at: str = "finished_at",
    ) -> tuple[Entry, ...]:
        """Changes with the deployments that shipped them, in the order of the rows."""
        named = record_lookup.items(self.view, rows["item"].tolist())
        shipped = "deployed_id" in rows
        by = record_lookup.deployments(self.view, rows.deployed_id.tolist()) if shipped else {}
        return tuple(
            Entry(
                kind=KINDS[(name := named[row.item]).kind],
                id=name.name,
                url=name.url,
                service=row.service,
                at=known_instant(getattr(row, at)),
                start_at=known_instant(row.start_at) if shipped else None,
                end_at=known_instant(row.finished_at) if shipped else None,
                value=float(getattr(row, value)) if value else None,
                total=float(getattr(row, total)) if total else None,
                open="over" in rows and not row.over,
                what=_shipment(row, by) if shipped else "",
            )
            for row in rows.itertuples()
        )

    def incidents(self, rows: Rows, *, start: str, end: str) -> tuple[Entry, ...]:
        """Incidents with the time they add, in the order of the rows."""
        return tuple(
            Entry(
                kind="incident",
                id=row.key,
                url=row.url,
                service=", ".join(row.services) or None,
                at=known_instant(row.began_at),
                start_at=known_instant(getattr(row, start)),
                end_at=known_instant(getattr(row, end)),
                value=float(row.seconds),
                open=row.restored_at == MISSING,
                what="external" if row.external else "",
            )
            for row in rows.itertuples()
        )

    def exclusions(self) -> Iterable[RecordGroup]:
        """Changes that lead time leaves out, by reason, and deployments of unknown commits."""
        changes, forward = frame(self.cut.changes), frame(self.cut.forward)
        for reason in sorted(set(changes.reason.dropna())):
            found = changes[changes.reason == reason].sort_values("finished_at")
            yield exclusion(reason, self.changes(found))
        unknown = forward[forward.unknown]
        if len(unknown):
            entries = self.deployments(unknown, lambda _: "ships no counted changes")
            yield exclusion("unknown_commit", entries)

    def failures(self, rows: Rows) -> tuple[Entry, ...]:
        """Failed deployments with the evidence for it."""
        said = metric_queries.failures_of(self.view, rows.deployed_id.tolist())

        def what(row: Any) -> str:
            failure = said[row.deployed_id]
            kind = "" if row.kind == "forward" else f"{row.kind}, "
            named = f" ({', '.join(failure.incidents)})" if failure.incidents else ""
            return f"{kind}{row.grade}: {'; '.join(failure.evidence)}{named}"

        timed = {"value": "seconds", "start": "start_at"} if "seconds" in rows else {}
        return self.deployments(rows, what, id_="deployed_id", **timed)


def samples(title: str, entries: tuple[Entry, ...], role: Any = "n") -> RecordGroup:
    """Durations in ascending order."""
    return RecordGroup(title=title, role=role, unit=Unit.SECONDS, by_value=True, entries=entries)


def exclusion(reason: str, entries: tuple[Entry, ...]) -> RecordGroup:
    """Records that a figure leaves out for a reason."""
    title = f"Left out, {words.reason(reason)}"
    return RecordGroup(title=title, role="left_out", reason=reason, entries=entries)


def drop_empty(*groups: RecordGroup) -> tuple[RecordGroup, ...]:
    """The groups that hold entries."""
    return tuple(group for group in groups if group.entries)


def _shipment(row: Any, by: Mapping[int, record_lookup.NamedRecord]) -> str:
    shipped = f"in {by[row.deployed_id].name}"
    return f"{shipped}, starts at its merge" if row.at_merge else shipped


def _short(sha: str | None) -> str:
    return sha[:7] if sha else "unknown commit"
