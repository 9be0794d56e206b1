"""CSV files of what lineage made of the records, for spreadsheets and databases.

Each service is read by itself, with the functions that figures are made by.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, Final

from vpemetrics.collectors.files.rows import csv_line
from vpemetrics.files import replace
from vpemetrics.metrics import facts
from vpemetrics.metrics.table import Table
from vpemetrics.rules import Rules
from vpemetrics.spreadsheets import escape
from vpemetrics.store import Store, metric_queries, record_lookup
from vpemetrics.store.columns import Arrays
from vpemetrics.store.derived_blocks import read
from vpemetrics.store.derived_layouts import Part
from vpemetrics.store.record_lookup import View
from vpemetrics.usecases.report_context import ReportContext
from vpemetrics.usecases.update_lineage import Progress, bring_up_to_date
from vpemetrics.window import MISSING, Micros, format_instant, from_micros

FOLDER: Final = "derived"
"""The folder within that of an export, so that nothing here is taken for records."""

_KINDS: Final = (
    "service",
    "deployment",
    "kind",
    "counts",
    "rework",
    "rolled_back",
    "commit",
    "started_at",
    "finished_at",
)
_SHIPPED: Final = (
    "service",
    "deployment",
    "change",
    "pull_request",
    "repository",
    "merged_at",
    "started_at",
    "deployed_at",
    "lead_time_seconds",
    "counts",
    "reason",
    "author_kind",
)
_FAILURES: Final = (
    "service",
    "deployment",
    "kind",
    "deployed_at",
    "grade",
    "evidence",
    "incident",
    "restored_by",
    "failure_grade",
    "failed_at",
    "restored_at",
)

Row = Sequence[Any]


def export_lineage(
    store: Store, rules: Rules, folder: Path, progress: Progress | None = None
) -> None:
    """Write kinds of deployments, shipped changes and failures with their evidence into a folder.

    The files appear when all of them are whole, in place of those of an earlier export.
    """
    bring_up_to_date(store, rules, progress)
    known = ReportContext.load(store, rules)
    into = folder / FOLDER
    into.mkdir(parents=True, exist_ok=True)
    with store.view() as view, ExitStack() as files:
        written = {name: files.enter_context(replace(into / f"{name}.csv")) for name in _FILES}
        for name, (header, _) in _FILES.items():
            _write(written[name], [header])
        for id_, service in sorted(known.names.items(), key=lambda item: item[1]):
            if service in known.traced:
                about = _Service(view, known, id_)
                for name, (_, rows) in _FILES.items():
                    _write(written[name], rows(about))


def _write(file: BinaryIO, rows: Iterable[Row]) -> None:
    for row in rows:
        file.write(csv_line([_cell(value) for value in row]).encode() + b"\n")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return escape(value) if isinstance(value, str) else f"{value:.15g}"


def _at(moment: Micros) -> str | None:
    return None if moment == MISSING else format_instant(from_micros(moment))


class _Service:
    """The lineage of one service."""

    def __init__(self, view: View, known: ReportContext, id_: int) -> None:
        self.view, self.name, self._id = view, known.names[id_], id_
        self._names, self._zone = known.names, known.rules.zone
        self.repositories = known.traced[self.name].repositories
        self.deployed = facts.deployed_table(
            metric_queries.in_order(self._read(Part.DEPLOYED)), self._names, self._zone
        )
        self.named = record_lookup.deployments(view, self.deployed["id"].tolist())

    def _read(self, part: Part) -> Arrays:
        return read(self.view, part, services=[self._id])

    def kinds(self) -> Iterator[Row]:
        """Deployments and failed attempts."""
        for row in self.deployed.rows():
            named = self.named[row.id]
            yield (
                self.name,
                named.name,
                row.kind,
                row.counts,
                row.unplanned,
                row.rolled_back,
                named.commit,
                _at(row.started_at),
                _at(row.finished_at),
            )

    def shipped(self) -> Iterator[Row]:
        """Changes at their first deployment; where each commit is a sample, one row for each."""
        changes = facts.shipped_table(self._read(Part.SHIPPED), self._names)
        items = record_lookup.items(self.view, changes["item"].tolist())
        pulls = record_lookup.pull_requests(self.view, [id_ for id_ in items if id_ > 0])
        only = self.repositories[0] if len(self.repositories) == 1 else None
        for row in facts.each_lead_time(changes).rows():
            number, repository = pulls.get(row.item, (None, only))
            known = row.seconds == row.seconds  # no NaN
            late = row.counted and known and row.seconds < 0
            yield (
                self.name,
                self.named[row.deployed_id].name,
                items[row.item].name,
                number,
                repository,
                _at(row.merged_at),
                _at(row.start_at),
                _at(row.finished_at),
                row.seconds if known else None,
                row.counted and not late,
                "negative" if late else row.reason,
                row.author_kind,
            )

    def failures(self) -> Iterator[Row]:
        """Evidence that counts, and the failure that it is evidence of."""
        pieces = metric_queries.evidence(self.view, [self._id])
        about = Table.of(pieces).where(pieces["deployed_id"] != MISSING)
        failed = facts.failures({name: about[name] for name in about.names}, self.deployed)
        by_deployment = {row.deployed_id: row for row in failed.rows()}
        keys = record_lookup.incident_keys(self.view, about["incident_id"].tolist())
        for piece in about.sort_by("finished_at").rows():
            failure, mender = by_deployment[piece.deployed_id], self.named.get(piece.restored_by)
            yield (
                self.name,
                self.named[piece.deployed_id].name,
                failure.kind,
                _at(piece.finished_at),
                piece.grade,
                piece.detail,
                keys.get(piece.incident_id),
                mender.name if mender else None,
                failure.grade,
                _at(failure.start_at),
                _at(failure.restored_at) if failure.timed else None,
            )


_FILES: Final[Mapping[str, tuple[Row, Callable[[_Service], Iterable[Row]]]]] = {
    "kinds": (_KINDS, _Service.kinds),
    "shipped": (_SHIPPED, _Service.shipped),
    "failures": (_FAILURES, _Service.failures),
}
