"""What the metrics are computed from: typed columns, cut to a scope and a window.

Times are microseconds since 1970 in UTC, `MISSING` where unknown. Nothing here is a figure.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from vpemetrics.metrics.figures import Scope
from vpemetrics.records import CoverageKind
from vpemetrics.window import MISSING, SECOND, Micros, Window

Columns = Mapping[str, npt.NDArray[Any]]
Stretch = tuple[Micros, Micros]

COUNTED: Final = ("forward", "redeploy", "rollback", "stale")
CONFIRMED: Final = ("A", "B", "C")
SKEW_SECONDS: Final = 300.0


@dataclass(frozen=True, kw_only=True)
class Facts:
    """All that was derived and collected for some services over some time.

    - `deployed`: id, service, kind, counts (in frequency), began_at, started_at, finished_at,
      first, rolled_back, ships, unknown, unplanned, day (its date in the report's zone)
    - `shipped`: service, deployed_id, item, finished_at, start_at, more_starts, first_at,
      at_merge, reason, ready_at, first_review_at, merged_at, started_at, lines, author
    - `waiting`: service, item, merged_at, reason
    - `failures`: service, deployed_id, finished_at, kind, grade, start_at, restored_at
      (MISSING: not restored yet), timed (False: nobody knows when it was restored)
    - `incidents`: id, key, began_at, restored_at, updated_at, customers, external, services, caused

    Rows of `deployed`, `shipped` and `failures` are in the order of `finished_at`, so that a window
    is a slice. `since` is where they begin, whatever was collected before.
    `suspected_within` is how long after a deployment time alone suspects it.
    """

    services: tuple[str, ...]
    deployed: pd.DataFrame
    shipped: pd.DataFrame
    waiting: pd.DataFrame
    failures: pd.DataFrame
    incidents: pd.DataFrame
    coverage: Mapping[tuple[str, CoverageKind], Sequence[Stretch]]
    attribution: Mapping[str, str]
    data_as_of: Micros
    since: Micros
    suspected_within: Micros
    pooled: bool = False

    def of(self, services: Collection[str], *, pooled: bool) -> "Facts":
        """The facts of some services only; `pooled`: a change counts at the last it reaches."""
        wanted = tuple(name for name in self.services if name in frozenset(services))
        if wanted == self.services and pooled:  # incidents of no known service too
            return replace(self, pooled=pooled)
        return replace(
            self,
            services=wanted,
            deployed=self._rows("deployed", wanted),
            shipped=self._rows("shipped", wanted),
            waiting=self._rows("waiting", wanted),
            failures=self._rows("failures", wanted),
            incidents=self._rows("incidents", wanted),
            pooled=pooled,
        )

    def _rows(self, name: str, services: Sequence[str]) -> pd.DataFrame:
        table: pd.DataFrame = getattr(self, name)
        places = self._places[name]
        found = [places[service] for service in services if service in places]
        if not found:
            return table.iloc[:0]
        return table.iloc[np.unique(np.concatenate(found)) if len(found) > 1 else found[0]]

    @cached_property
    def _places(self) -> dict[str, dict[str, npt.NDArray[np.intp]]]:
        """Row numbers by service, so that a scope costs what it holds."""
        names = ("deployed", "shipped", "waiting", "failures")
        places = {name: getattr(self, name).groupby("service").indices for name in names}
        touched: dict[str, list[int]] = defaultdict(list)
        for row, services in enumerate(self.incidents.services):
            for service in services:
                touched[service].append(row)
        return places | {"incidents": {name: np.array(rows) for name, rows in touched.items()}}

    @cached_property
    def changes(self) -> pd.DataFrame:
        """Shipped changes, each once: pooled, at the last service it reached (rule 21).

        What a service's first known deployment held is no arrival while there is another one:
        else a new service would take away the past of those it shares changes with.
        """
        if not self.pooled or len(self.services) < 2:
            return self.shipped
        counted = (self.shipped.reason != "first_deployment").to_numpy()
        ordered = pd.concat([self.shipped[~counted], self.shipped[counted]])
        return ordered.drop_duplicates("item", keep="last").sort_values(
            "finished_at", kind="stable"
        )

    @cached_property
    def samples(self) -> pd.DataFrame:
        """Counted changes with their `seconds`; with `each_commit` as many rows as commits.

        A little less than nothing is clock skew and counts as 0; other negative ones are in
        `negatives` (rule 17).
        """
        timed = self._timed
        if timed.seconds.min() >= 0:
            return timed
        inside = timed[timed.seconds >= -SKEW_SECONDS]
        return inside.assign(seconds=inside.seconds.clip(lower=0.0))

    @cached_property
    def negatives(self) -> pd.DataFrame:
        """Commits, of changes that have samples, dated after the deployment that shipped them."""
        return self._timed[(self._timed.seconds < -SKEW_SECONDS).to_numpy()]

    @cached_property
    def _timed(self) -> pd.DataFrame:
        counted = self.changes[self.changes.reason.isna()]
        if counted.more_starts.notna().any():
            starts = [
                [first, *map(int, (more or "").split())]
                for first, more in zip(counted.start_at, counted.more_starts, strict=True)
            ]
            counted = counted.assign(start_at=pd.Series(starts, index=counted.index))
            counted = counted.explode("start_at").astype({"start_at": "int64"})
        return counted.assign(seconds=seconds_between(counted.start_at, counted.finished_at))

    @cached_property
    def merges(self) -> dict[str, npt.NDArray[np.int64]]:
        """When pull requests were merged, in order, by what became of them (rule 36).

        `shipped`; `waiting`, merged and shipped nowhere yet; `excluded` from either by a reason.
        """
        sent, left = self.changes, self.waiting
        if self.pooled:
            left = left[~left["item"].isin(sent["item"])].drop_duplicates("item")
        shipped_at, waiting_at = sent.merged_at.to_numpy(), left.merged_at.to_numpy()
        counted, waits = sent.reason.isna().to_numpy(), left.reason.isna().to_numpy()
        pulls = sent["item"].to_numpy() > 0
        excluded = shipped_at[pulls & ~counted], waiting_at[~waits]
        return {
            "shipped": np.sort(shipped_at[pulls & counted]),
            "waiting": np.sort(waiting_at[waits]),
            "excluded": np.sort(np.concatenate(excluded)),
        }

    @cached_property
    def confirmed(self) -> pd.DataFrame:
        """Confirmed failures with `seconds` to their restoration, and whether they are `over`."""
        return self.spells(self.failures[self.failures.grade.isin(CONFIRMED)], "start_at")

    def spells(self, rows: pd.DataFrame, start: str) -> pd.DataFrame:
        """Rows with the `seconds` from their start to `restored_at`, and whether they are `over`.

        What has no end yet runs until data-as-of.
        """
        restored = rows.restored_at.to_numpy()
        over = restored != MISSING
        until = np.where(over, restored, self.data_as_of)
        return rows.assign(seconds=seconds_between(rows[start], until), over=over)

    @cached_property
    def began(self) -> dict[str, npt.NDArray[np.int64]]:
        """When each forward deployment of a service began, in order, by service."""
        began = self.forward.began_at.to_numpy()
        places = self.forward.groupby("service").indices
        return {str(service): np.sort(began[rows]) for service, rows in places.items()}

    @cached_property
    def collected(self) -> list[Stretch]:
        """When the deployments of any of the services were collected, as far back as facts go."""
        kind = CoverageKind.DEPLOYMENTS
        spans = merged([span for s in self.services for span in self.coverage.get((s, kind), ())])
        return [(max(start, self.since), end) for start, end in spans if end > self.since]

    @cached_property
    def counted(self) -> pd.DataFrame:
        """Deployments that count in frequency."""
        return self.deployed[self.deployed.counts.to_numpy()]

    @cached_property
    def forward(self) -> pd.DataFrame:
        """Forward deployments, and whether they are `sourced`."""
        return self._sourced(self.deployed[self.deployed.kind == "forward"])

    @cached_property
    def blamed(self) -> pd.DataFrame:
        """Failures, and whether their deployments are `sourced`."""
        return self._sourced(self.failures)

    def _sourced(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Rows with whether an incident source covers their service when they finished."""
        finished = rows.finished_at.to_numpy()
        sourced = np.zeros(len(rows), dtype=bool)
        for service, places in rows.groupby("service").indices.items():
            for start, end in self.coverage.get((str(service), CoverageKind.INCIDENTS), ()):
                sourced[places] |= (finished[places] >= start) & (finished[places] < end)
        return rows.assign(sourced=sourced)

    @cached_property
    def gaps(self) -> pd.DataFrame:
        """Deployments that count and have one of their service before, with `seconds` since it."""
        since = self.counted.groupby("service").finished_at.diff() / SECOND
        return self.counted.assign(seconds=since).dropna(subset="seconds")

    @cached_property
    def deployment_times(self) -> npt.NDArray[np.int64]:
        """When each deployment that counts in frequency finished, in order."""
        return self.counted.finished_at.to_numpy()

    @cached_property
    def deployment_days(self) -> npt.NDArray[np.int64]:
        """When the first one of each day did, in order."""
        first = np.unique(self.counted.day.to_numpy(), return_index=True)[1]
        return self.deployment_times[first]

    def covered(self, service: str, kind: CoverageKind, window: Stretch) -> list[Stretch]:
        """The collected stretches of a service inside a window."""
        start, end = window
        return [
            (max(a, start), min(b, end))
            for a, b in self.coverage.get((service, kind), ())
            if a < end and start < b
        ]

    def covers(self, service: str, kind: CoverageKind, window: Stretch) -> bool:
        """Whether a service was collected over a whole window."""
        return self.covered(service, kind, window) == [window]


@dataclass(frozen=True, kw_only=True)
class Cut:
    """The facts of one scope in one window: what a figure speaks of."""

    facts: Facts
    scope: Scope
    window: Window

    @cached_property
    def stretch(self) -> Stretch:
        """The window as instants."""
        return self.window.start_at, self.window.end_at

    def within(self, frame: pd.DataFrame, column: str) -> pd.DataFrame:
        """The rows whose moment lies in the window."""
        start, end = self.stretch
        at = frame[column].to_numpy()
        return frame[(at >= start) & (at < end)]

    def finished_in(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows that finished in the window, of a frame in that order."""
        start, end = np.searchsorted(frame["finished_at"].to_numpy(), self.stretch)
        return frame.iloc[start:end]

    @cached_property
    def deployed(self) -> pd.DataFrame:
        """Deployments finished in the window, those that count in frequency."""
        return self.finished_in(self.facts.counted)

    @cached_property
    def finished(self) -> pd.DataFrame:
        """All that finished in the window, roll-outs and failed attempts too."""
        return self.finished_in(self.facts.deployed)

    @cached_property
    def forward(self) -> pd.DataFrame:
        """Forward deployments finished in the window."""
        return self.finished_in(self.facts.forward)

    @cached_property
    def changes(self) -> pd.DataFrame:
        """Changes first shipped in the window, left-out ones too."""
        return self.finished_in(self.facts.changes)

    @cached_property
    def waiting(self) -> pd.DataFrame:
        """Pull requests merged in the window and not shipped, or no changes at all."""
        return self.within(self.facts.waiting, "merged_at")

    @cached_property
    def failures(self) -> pd.DataFrame:
        """Failures, suspected ones too, of deployments finished in the window."""
        return self.finished_in(self.facts.blamed)

    @cached_property
    def covered_services(self) -> tuple[str, ...]:
        """Services whose deployments were collected over the whole window."""
        kind = CoverageKind.DEPLOYMENTS
        return tuple(s for s in self.facts.services if self.facts.covers(s, kind, self.stretch))

    @cached_property
    def collected(self) -> list[Stretch]:
        """The stretches of the window that were collected for any service, in order."""
        start, end = self.stretch
        return [
            (max(a, start), min(b, end)) for a, b in self.facts.collected if a < end and start < b
        ]

    @property
    def unknown(self) -> bool:
        """Whether nothing was collected of the window and nothing is known of it."""
        return not self.collected and not len(self.finished)

    @cached_property
    def with_incidents(self) -> tuple[str, ...]:
        """Services for which an incident source covers what was collected of the window."""
        both = (CoverageKind.DEPLOYMENTS, CoverageKind.INCIDENTS)
        return tuple(
            s
            for s in self.facts.services
            if (wanted := self.facts.covered(s, both[0], self.stretch))
            and all(self.facts.covers(s, both[1], stretch) for stretch in wanted)
        )

    @cached_property
    def incidents_collected(self) -> bool:
        """Whether incidents of any of the services were collected in the window."""
        kind = CoverageKind.INCIDENTS
        return any(self.facts.covered(s, kind, self.stretch) for s in self.facts.services)

    @property
    def partial(self) -> bool:
        """Whether the window is running, a clipped week, or no service's was collected whole."""
        return self.window.clipped or not self.covered_services


def merged(stretches: Sequence[Stretch]) -> list[Stretch]:
    """The union of stretches, in order, touching ones joined."""
    union: list[Stretch] = []
    for start, end in sorted(stretches):
        if union and start <= union[-1][1]:
            union[-1] = (union[-1][0], max(end, union[-1][1]))
        else:
            union.append((start, end))
    return union


def length(stretches: Sequence[Stretch]) -> float:
    """Seconds covered by stretches, overlaps once."""
    return sum(end - start for start, end in merged(stretches)) / SECOND


def seconds_between(start: npt.ArrayLike, end: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Elapsed seconds, NaN where either moment is unknown."""
    a, b = np.asarray(start, dtype=np.int64), np.asarray(end, dtype=np.int64)
    unknown = (a == MISSING) | (b == MISSING)
    return np.where(unknown, np.nan, (np.where(unknown, 0, b) - np.where(unknown, 0, a)) / SECOND)


FAILURE_TYPES: Final = {
    "service": "object",
    "deployed_id": "int64",
    "finished_at": "int64",
    "kind": "object",
    "grade": "object",
    "start_at": "int64",
    "restored_at": "int64",
    "timed": "bool",
}


def failures(evidence: Columns, deployed: pd.DataFrame) -> pd.DataFrame:
    """One row per deployment with chosen evidence: grade, start and restoration (rule 26).

    `evidence` has the columns deployed_id, grade, incident_id, began_at, restored_at, mended_at.
    The strongest grade counts. With incidents, from the first start to the last restoration, a
    suspected one joining; without, from the finish to that of the rollback or hotfix. A run that
    its own pipeline rolled back has one finish, the rollback's, and is measured from its start.
    """
    found: dict[int, list[int]] = defaultdict(list)
    for at, id_ in enumerate(evidence["deployed_id"].tolist()):
        found[id_].append(at)
    here = deployed[deployed.id.isin(list(found))]
    ones: Iterable[Any] = here.itertuples()
    items = ((one, [_piece(evidence, at) for at in found[one.id]]) for one in ones)
    rows = [
        (
            one.service,
            one.id,
            one.finished_at,
            one.kind,
            min(piece.grade for piece in pieces),
            *_recovery(one, pieces),
        )
        for one, pieces in items
    ]
    columns = list(zip(*rows, strict=True)) or [()] * len(FAILURE_TYPES)
    return pd.DataFrame(
        {
            name: pd.Series(list(values), dtype=FAILURE_TYPES[name])
            for name, values in zip(FAILURE_TYPES, columns, strict=True)
        }
    )


class _Piece(NamedTuple):
    grade: str
    incident: int
    began_at: Micros
    restored_at: Micros
    mended_at: Micros


def _piece(evidence: Columns, at: int) -> _Piece:
    names = ("grade", "incident_id", "began_at", "restored_at", "mended_at")
    return _Piece(*(evidence[name][at] for name in names))


def _recovery(one: Any, pieces: Sequence[_Piece]) -> tuple[Micros, Micros, bool]:
    """Start, restoration (MISSING: open) and whether the restoration is known or awaited."""
    incidents = [piece for piece in pieces if piece.incident != MISSING]
    if incidents:
        began = [piece.began_at for piece in incidents if piece.began_at != MISSING]
        start = max(min(began, default=one.finished_at), one.began_at)
        restored = [piece.restored_at for piece in incidents]
        return start, MISSING if MISSING in restored else max(restored), True
    if one.rolled_back:
        return one.began_at, one.finished_at, True
    sure = [piece for piece in pieces if piece.grade in CONFIRMED] or pieces
    mended = [piece.mended_at for piece in sure if piece.mended_at != MISSING]
    return one.finished_at, min(mended, default=MISSING), bool(mended)


def frame(columns: Columns, names: Mapping[int, str]) -> pd.DataFrame:
    """Columns as a frame, their `service_id` replaced by the service's name."""
    table = pd.DataFrame({name: values for name, values in columns.items() if name != "service_id"})
    if "service_id" in columns:
        table["service"] = [names[id_] for id_ in columns["service_id"].tolist()]
    return table


def deployed_frame(columns: Columns, names: Mapping[int, str], zone: str) -> pd.DataFrame:
    """Deployments with when they began, their date in a zone, and if their commit is unknown."""
    table = frame(columns, names)
    started, finished = table.started_at, table.finished_at
    table["began_at"] = started.where(started != MISSING, finished)
    local = pd.to_datetime(finished, unit="us", utc=True).dt.tz_convert(zone)
    table["day"] = local.dt.tz_localize(None).dt.floor("D")
    for name in ("first", "rolled_back", "ships"):
        table[name] = table[name].astype(bool)
    table["counts"] = table.kind.isin(COUNTED)
    table["unknown"] = (table.kind == "forward") & ~(table.first | table.rolled_back | table.ships)
    return table


def incident_frame(columns: Columns, services: Sequence[tuple[str, ...]]) -> pd.DataFrame:
    """Incidents with our names of the services they touch, and whether customers felt them.

    Where the incident does not say, severity 1 and 2 are taken to affect customers (rule 26).
    """
    table = frame(columns, {})
    severe = (table.severity != MISSING) & (table.severity <= 2)
    said = table.customer_affecting != MISSING
    table["customers"] = (table.customer_affecting == 1).where(said, severe)
    table["external"] = table.external == 1
    table["caused"] = table.caused == 1
    table["services"] = pd.Series(list(services), dtype=object)
    return table
