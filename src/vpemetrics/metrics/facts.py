"""The facts that metrics are computed from: tables, cut to a scope and a window.

Times are microseconds since 1970 in UTC, `MISSING` where unknown. Nothing here is a figure.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from vpemetrics.metrics.figures import Scope
from vpemetrics.metrics.provisional import WHILE_UNKNOWN, is_provisional
from vpemetrics.metrics.table import (
    Column,
    Columns,
    Mask,
    Places,
    Table,
    first_of_each,
    is_one_of,
    look_up,
    texts,
)
from vpemetrics.records import CoverageKind
from vpemetrics.window import (
    DAY,
    MISSING,
    SECOND,
    Interval,
    Micros,
    Window,
    date_of,
    merge_intervals,
    midnight,
)

COUNTED: Final = ("forward", "redeploy", "rollback", "stale")
CONFIRMED: Final = ("A", "B", "C")
SKEW_SECONDS: Final = 300.0
RETIRED_AFTER: Final = 52 * 7 * DAY


@dataclass(frozen=True, kw_only=True)
class MetricFacts:
    """All that was derived and collected for some services over some time.

    - `deployed`: id, kind, forward, counts (in frequency), began_at, started_at, finished_at,
      first, rolled_back, ships, unknown, unplanned, day (the number of its date in the report's
      zone)
    - `shipped`: deployed_id, item, finished_at, start_at, more_starts, first_at, at_merge, reason,
      counted (no reason leaves it out), first (held by the first known deployment), ready_at,
      first_review_at, merged_at, lines, author, author_kind, marked,
      undone_at (a revert of it reached production, or an incident that names it began)
    - `waiting`: item, merged_at, reason
    - `proposed`: item, author_kind, ready_at, first_review_at, merged_at, closed_at, of pull
      requests that are ready: those of the last 13 weeks, and the open ones, in each service that
      their repository is deployed as
    - `failures`: deployed_id, finished_at, kind, grade, start_at, restored_at (MISSING: not
      restored yet), timed (False: nobody knows when it was restored)
    - `incidents`: id, key, began_at, restored_at, updated_at, customers, external, services, caused

    All but incidents have the name of their `service` and its `service_id` too. Rows of `deployed`,
    `shipped` and `failures` are in the order of `finished_at`, so that a window is a slice.
    `since` is where they begin, whatever was collected before.
    `suspected_within` is how long after a deployment time alone suspects it; `wait` how long after
    its end a week is provisional.
    """

    services: tuple[str, ...]
    deployed: Table
    shipped: Table
    waiting: Table
    proposed: Table
    failures: Table
    incidents: Table
    coverage: Mapping[tuple[str, CoverageKind], Sequence[Interval]]
    attribution: Mapping[str, str]
    data_as_of: Micros
    since: Micros
    suspected_within: Micros
    wait: Micros = WHILE_UNKNOWN
    pooled: bool = False

    def of(self, services: Collection[str], *, pooled: bool) -> "MetricFacts":
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
            proposed=self._rows("proposed", wanted),
            failures=self._rows("failures", wanted),
            incidents=self._rows("incidents", wanted),
            pooled=pooled,
        )

    def without_retired(self, window: Window, configured: Collection[str]) -> "MetricFacts":
        """The same facts without the services that are no more (rule D6); all if none is left.

        Those last deployed more than 52 weeks before the end of a window, and not within it, that
        are not configured and have no open incident.
        """
        still = min(window.end_at - RETIRED_AFTER, window.start_at)
        deployed, incidents = self.deployed, self.incidents
        ever = set(deployed["service"][deployed["counts"]].tolist())
        lately = deployed["counts"] & (deployed["finished_at"] >= still)
        open_ = incidents["services"][incidents["restored_at"] == MISSING]
        kept = {
            *configured,
            *deployed["service"][lately].tolist(),
            *(name for names in open_.tolist() for name in names),
        }
        active = tuple(name for name in self.services if name in kept or name not in ever)
        return replace(self, services=active or self.services)

    def _rows(self, name: str, services: Sequence[str]) -> Table:
        table: Table = getattr(self, name)
        places = self._places[name]
        found = [places[service] for service in services if service in places]
        if not found:
            return table.between(0, 0)
        return table.at(np.unique(np.concatenate(found)) if len(found) > 1 else found[0])

    @cached_property
    def _places(self) -> dict[str, dict[str, Places]]:
        """Row numbers by service, so that a scope costs what it holds."""
        names = ("deployed", "shipped", "waiting", "proposed", "failures")
        touched: dict[str, list[int]] = defaultdict(list)
        for row, services in enumerate(self.incidents["services"].tolist()):
            for service in services:
                touched[service].append(row)
        incidents = {name: np.array(rows, dtype=np.intp) for name, rows in touched.items()}
        return {name: by_service(getattr(self, name)) for name in names} | {"incidents": incidents}

    @cached_property
    def changes(self) -> Table:
        """Shipped changes, each once: pooled, at the last service it reached (rule T1).

        What a service's first known deployment held is no arrival while there is another one:
        else a new service would take away the past of those it shares changes with.
        """
        if not self.pooled or len(self.services) < 2:
            return self.shipped
        first = self.shipped["first"]
        places = np.concatenate([np.flatnonzero(first), np.flatnonzero(~first)])
        latest = first_of_each(self.shipped["item"][places[::-1]])
        return self.shipped.at(places[::-1][latest][::-1]).sort_by("finished_at")

    @cached_property
    def counted_changes(self) -> Table:
        """Changes that lead time counts: those that no reason leaves out."""
        return self.changes.where(self.changes["counted"])

    @cached_property
    def samples(self) -> Table:
        """Counted changes with their `seconds`; with `each_commit` as many rows as commits.

        A little less than nothing is clock skew and counts as 0; other negative ones are in
        `negatives` (rule T1).
        """
        return self._timed.where(self._timed["seconds"] >= 0)

    @cached_property
    def negatives(self) -> Table:
        """Commits, of changes that have samples, dated after the deployment that shipped them."""
        return self._timed.where(self._timed["seconds"] < 0)

    @cached_property
    def _timed(self) -> Table:
        return each_lead_time(self.counted_changes)

    @cached_property
    def merges(self) -> dict[str, npt.NDArray[np.int64]]:
        """The times at which pull requests were merged, in order, by what became of them (rule G5).

        `shipped`; `waiting`, merged and shipped nowhere yet; `excluded` from either by a reason.
        """
        sent, left = self.changes, self.waiting
        pulls = sent["item"] > 0
        if self.pooled:
            left = left.where(~np.isin(left["item"], sent["item"][pulls]))
            left = left.at(first_of_each(left["item"]))
        shipped_at, waiting_at = sent["merged_at"], left["merged_at"]
        counted, waits = sent["counted"], is_one_of(left["reason"], (None,))
        excluded = shipped_at[pulls & ~counted], waiting_at[~waits]
        return {
            "shipped": np.sort(shipped_at[pulls & counted]),
            "waiting": np.sort(waiting_at[waits]),
            "excluded": np.sort(np.concatenate(excluded)),
        }

    @cached_property
    def confirmed(self) -> Table:
        """Confirmed failures with `seconds` to their restoration, and whether they are `over`."""
        return self.spells(
            self.failures.where(is_one_of(self.failures["grade"], CONFIRMED)), "start_at"
        )

    def spells(self, rows: Table, start: str) -> Table:
        """Rows with the `seconds` from their start to `restored_at`, and whether they are `over`.

        What has no end yet runs until data-as-of.
        """
        restored = rows["restored_at"]
        over = restored != MISSING
        until = np.where(over, restored, self.data_as_of)
        return rows.with_columns(seconds=seconds_between(rows[start], until), over=over)

    @cached_property
    def began(self) -> Table:
        """Forward deployments in the order in which they began."""
        return self.forward.sort_by("began_at")

    @cached_property
    def staged(self) -> Table:
        """Counted pull requests with all times known, with the seconds of each stage (rule S1).

        The stages are coding, waiting_for_review, review, unreviewed, waiting_to_deploy and
        deploying; boundaries are made monotone. Without a review, ready to merge is `unreviewed`,
        and the review stages are 0 long. Nothing lasts beyond the finish, so that the stages add up
        to the time to production.
        """
        counted = self.counted_changes
        counted = counted.with_columns(
            started_at=look_up(
                counted["deployed_id"], self.deployed["id"], self.deployed["started_at"], MISSING
            )
        )
        needed = ("first_at", "ready_at", "merged_at", "started_at", "finished_at")
        known = counted.where(
            np.logical_and.reduce([counted["item"] > 0, *(counted[at] != MISSING for at in needed)])
        )
        first, ready, merged_at, started, finished = (known[at] for at in needed)
        reviewed = known["first_review_at"] != MISSING
        review = np.where(reviewed, known["first_review_at"], ready)
        bounds = np.maximum.accumulate([first, ready, review, merged_at, started, finished])
        coding, waiting, reviewing, to_deploy, deploying = (
            np.diff(np.minimum(bounds, finished), axis=0) / SECOND
        )
        return known.with_columns(
            coding=coding,
            waiting_for_review=np.where(reviewed, waiting, 0.0),
            review=np.where(reviewed, reviewing, 0.0),
            unreviewed=np.where(reviewed, 0.0, waiting + reviewing),
            waiting_to_deploy=to_deploy,
            deploying=deploying,
        )

    @cached_property
    def collected(self) -> list[Interval]:
        """The stretches for which deployments of any of the services were collected."""
        kind = CoverageKind.DEPLOYMENTS
        spans = merge_intervals(
            [span for s in self.services for span in self.coverage.get((s, kind), ())]
        )
        return [(max(start, self.since), end) for start, end in spans if end > self.since]

    @cached_property
    def counted(self) -> Table:
        """Deployments that count in frequency, and whether they are `sourced`."""
        return self.sourced(self.deployed.where(self.deployed["counts"]))

    @cached_property
    def forward(self) -> Table:
        """Forward deployments, and whether they are `sourced`."""
        return self.sourced(self.deployed.where(self.deployed["forward"]))

    @cached_property
    def blamed(self) -> Table:
        """Failures, and whether their deployments are `sourced`."""
        return self.sourced(self.failures)

    def sourced(self, rows: Table) -> Table:
        """Rows with whether an incident source covers their service when they finished."""
        sourced = self.covered_rows(rows, CoverageKind.INCIDENTS, rows["finished_at"])
        return rows.with_columns(sourced=sourced)

    def covered_rows(self, rows: Table, kind: CoverageKind, moments: Column) -> Mask:
        """Mark the rows whose service was collected at their moments."""
        covered = np.zeros(len(rows), dtype=bool)
        for service, places in by_service(rows).items():
            for start, end in self.coverage.get((service, kind), ()):
                covered[places] |= (moments[places] >= start) & (moments[places] < end)
        return covered

    @cached_property
    def gaps(self) -> Table:
        """Deployments that count and have one of their service before, with `seconds` since it."""
        finished = self.counted["finished_at"]
        seconds = np.full(len(self.counted), np.nan)
        for places in by_service(self.counted).values():
            seconds[places[1:]] = np.diff(finished[places]) / SECOND
        return self.counted.with_columns(seconds=seconds).where(~np.isnan(seconds))

    @cached_property
    def deployment_times(self) -> npt.NDArray[np.int64]:
        """The finish of each deployment that counts in frequency, in order."""
        return self.counted["finished_at"]

    @cached_property
    def deployment_days(self) -> npt.NDArray[np.int64]:
        """The finish of the first of them on each day, in order."""
        return self.deployment_times[first_of_each(self.counted["day"])]

    def covered(self, service: str, kind: CoverageKind, window: Interval) -> list[Interval]:
        """The collected stretches of a service inside a window."""
        start, end = window
        return [
            (max(a, start), min(b, end))
            for a, b in self.coverage.get((service, kind), ())
            if a < end and start < b
        ]

    def covers(self, service: str, kind: CoverageKind, window: Interval) -> bool:
        """Tell whether a service was collected over a whole window."""
        return self.covered(service, kind, window) == [window]


@dataclass(frozen=True, kw_only=True)
class Slice:
    """The facts of one scope in one window: what a figure speaks of."""

    facts: MetricFacts
    scope: Scope
    window: Window

    @cached_property
    def stretch(self) -> Interval:
        """The window as instants."""
        return self.window.start_at, self.window.end_at

    def within(self, rows: Table, column: str) -> Table:
        """The rows whose moment lies in the window."""
        start, end = self.stretch
        return rows.where((rows[column] >= start) & (rows[column] < end))

    def finished_in(self, rows: Table) -> Table:
        """The rows that finished in the window, of a table in that order."""
        start, end = np.searchsorted(rows["finished_at"], self.stretch).tolist()
        return rows.between(start, end)

    @cached_property
    def deployed(self) -> Table:
        """Deployments finished in the window, those that count in frequency."""
        return self.finished_in(self.facts.counted)

    @cached_property
    def finished(self) -> Table:
        """All that finished in the window, roll-outs and failed attempts too."""
        return self.finished_in(self.facts.deployed)

    @cached_property
    def forward(self) -> Table:
        """Forward deployments finished in the window."""
        return self.finished_in(self.facts.forward)

    @cached_property
    def changes(self) -> Table:
        """Changes first shipped in the window, left-out ones too."""
        return self.finished_in(self.facts.changes)

    @cached_property
    def counted_changes(self) -> Table:
        """Changes first shipped in the window that lead time counts."""
        return self.finished_in(self.facts.counted_changes)

    @cached_property
    def waiting(self) -> Table:
        """Pull requests merged in the window and not shipped, or no changes at all."""
        return self.within(self.facts.waiting, "merged_at")

    @cached_property
    def failures(self) -> Table:
        """Failures, suspected ones too, of deployments finished in the window."""
        return self.finished_in(self.facts.blamed)

    @cached_property
    def covered_services(self) -> tuple[str, ...]:
        """Services whose deployments were collected over the whole window."""
        kind = CoverageKind.DEPLOYMENTS
        return tuple(s for s in self.facts.services if self.facts.covers(s, kind, self.stretch))

    @property
    def partly_covered_services(self) -> Sequence[str]:
        """The services collected over the window; where none was all the while, those in part."""
        if self.covered_services:
            return self.covered_services
        kind = CoverageKind.DEPLOYMENTS
        return [
            name for name in self.facts.services if self.facts.covered(name, kind, self.stretch)
        ]

    @cached_property
    def collected(self) -> list[Interval]:
        """The stretches of the window that were collected for any service, in order."""
        start, end = self.stretch
        return [
            (max(a, start), min(b, end)) for a, b in self.facts.collected if a < end and start < b
        ]

    @property
    def unknown(self) -> bool:
        """True if nothing was collected of the window and nothing is known of it."""
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
    def changes_collected(self) -> bool:
        """True if a source tells of changes: of commits, or of pull requests in the window."""
        facts = self.facts
        return bool(
            len(facts.shipped)
            or len(facts.waiting)
            or any(facts.attribution.get(service) == "graph" for service in facts.services)
            or any(
                facts.covered(service, kind, self.stretch)
                for service in facts.services
                for kind in (CoverageKind.PULL_REQUESTS, CoverageKind.COMMITS)
            )
        )

    @cached_property
    def incidents_collected(self) -> bool:
        """True if incidents of any of the services were collected in the window."""
        kind = CoverageKind.INCIDENTS
        return any(self.facts.covered(s, kind, self.stretch) for s in self.facts.services)

    @property
    def partial(self) -> bool:
        """True if the window is running, a clipped week, or no service's was collected whole."""
        return self.window.clipped or not self.covered_services

    @cached_property
    def provisional(self) -> bool:
        """True if failures of the window may still come to light (rule L6)."""
        return is_provisional(self.window, self.facts.data_as_of, self.facts.wait)


def length(intervals: Iterable[Interval]) -> float:
    """Seconds covered by intervals, overlaps once."""
    return sum(end - start for start, end in merge_intervals(intervals)) / SECOND


def seconds_between(start: npt.ArrayLike, end: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Elapsed seconds, NaN where either moment is unknown."""
    a, b = np.asarray(start, dtype=np.int64), np.asarray(end, dtype=np.int64)
    unknown = (a == MISSING) | (b == MISSING)
    return np.where(unknown, np.nan, (np.where(unknown, 0, b) - np.where(unknown, 0, a)) / SECOND)


def by_service(table: Table) -> dict[str, Places]:
    """The places of each service's rows, in order, by its name."""
    if not len(table):
        return {}
    ids = table["service_id"]
    order = np.argsort(ids, kind="stable")
    begins = np.flatnonzero(np.diff(ids[order], prepend=MISSING))
    names = table["service"][order[begins]].tolist()
    return dict(zip(names, np.split(order, begins[1:]), strict=True))


def each_lead_time(changes: Table) -> Table:
    """Changes with the `seconds` from each of their starts, of which clock skew is 0 (rule T1)."""
    each = _each_start(changes)
    seconds = seconds_between(each["start_at"], each["finished_at"])
    skewed = (seconds < 0) & (seconds >= -SKEW_SECONDS)
    return each.with_columns(seconds=np.where(skewed, 0.0, seconds))


def _each_start(changes: Table) -> Table:
    """Changes, those of several starts as often as they have some."""
    if not any(changes["more_starts"]):
        return changes
    more = [text.split() for text in changes["more_starts"].tolist()]
    first = changes["start_at"].tolist()
    starts = [
        at for start, rest in zip(first, more, strict=True) for at in (start, *map(int, rest))
    ]
    places = np.repeat(np.arange(len(changes)), [1 + len(rest) for rest in more])
    return changes.at(places).with_columns(start_at=np.array(starts, dtype=np.int64))


def failures(evidence: Columns, deployed: Table) -> Table:
    """One row per deployment with chosen evidence: grade, start and restoration (rule F5).

    `evidence` has the columns deployed_id, grade, what, incident_id, began_at, restored_at,
    mended_at. The strongest grade counts. What a person said of the restoration goes before all
    else. With incidents, from the first start to the last restoration, a
    suspected one joining; without, from the finish to that of the rollback or hotfix. A run that
    its own pipeline rolled back has one finish, the rollback's, and is measured from its start.
    """
    found: dict[int, list[_Piece]] = defaultdict(list)
    for id_, *said in zip(*(evidence[name].tolist() for name in _EVIDENCE), strict=True):
        found[id_].append(_Piece(*said))
    blamed = deployed.where(np.isin(deployed["id"], list(found)))
    spans = [_recovery(deployment, found[deployment.id]) for deployment in blamed.rows()]
    grades = (min(piece.grade for piece in found[id_]) for id_ in blamed["id"].tolist())
    names = ("service_id", "service", "finished_at", "kind")
    return Table.of(
        {name: blamed[name] for name in names}
        | {
            "deployed_id": blamed["id"],
            "grade": texts(grades),
            "start_at": np.array([start for start, _, _ in spans], dtype=np.int64),
            "restored_at": np.array([restored for _, restored, _ in spans], dtype=np.int64),
            "timed": np.array([timed for _, _, timed in spans], dtype=bool),
        }
    )


class _Piece(NamedTuple):
    grade: str
    what: str
    incident_id: int
    began_at: Micros
    restored_at: Micros
    mended_at: Micros


_EVIDENCE: Final = ("deployed_id", *_Piece._fields)


def _recovery(one: Any, pieces: Sequence[_Piece]) -> tuple[Micros, Micros, bool]:
    """Start, restoration (MISSING: open) and whether the restoration is known or awaited."""
    incidents = [piece for piece in pieces if piece.incident_id != MISSING]
    began = [piece.began_at for piece in incidents if piece.began_at != MISSING]
    start = max(min(began, default=one.finished_at), one.began_at)
    said = [piece.mended_at for piece in pieces if piece.what == "restored"]
    if said:
        return start, max(said[0], start), True
    if incidents:
        restored = [piece.restored_at for piece in incidents]
        return start, MISSING if MISSING in restored else max(restored), True
    if one.rolled_back:
        return one.began_at, one.finished_at, True
    sure = [piece for piece in pieces if piece.grade in CONFIRMED] or pieces
    mended = [piece.mended_at for piece in sure if piece.mended_at != MISSING]
    return one.finished_at, min(mended, default=MISSING), bool(mended)


def table(columns: Columns, names: Mapping[int, str]) -> Table:
    """Columns as a table, with the service's name beside its `service_id`."""
    by_id = np.full(max(names, default=0) + 1, None, dtype=object)
    by_id[list(names)] = list(names.values())
    return Table.of({**columns, "service": by_id[columns["service_id"]]})


def deployed_table(columns: Columns, names: Mapping[int, str], zone: str) -> Table:
    """Deployments with when they began, their date in a zone, and if their commit is unknown."""
    started, finished, kind = (columns[name] for name in ("started_at", "finished_at", "kind"))
    forward = is_one_of(kind, ("forward",))
    said = {name: columns[name] == 1 for name in ("first", "rolled_back", "ships")}
    known = said["first"] | said["rolled_back"] | said["ships"]
    return table({**columns, **said}, names).with_columns(
        began_at=np.where(started != MISSING, started, finished),
        day=_days(finished, zone),
        forward=forward,
        counts=is_one_of(kind, COUNTED),
        unknown=forward & ~known,
    )


def shipped_table(columns: Columns, names: Mapping[int, str]) -> Table:
    """Shipped changes in the order they arrived, with whether they count and as what."""
    return (
        table(columns, names)
        .with_columns(
            counted=is_one_of(columns["reason"], (None,)),
            first=is_one_of(columns["reason"], ("first_deployment",)),
        )
        .sort_by("finished_at")
    )


def _days(moments: Column, zone: str) -> Column:
    """The number of the date of each moment, which are in order, in a zone."""
    if not len(moments):
        return moments
    first, last = (date_of(int(at), zone) for at in (moments[0], moments[-1]))
    dates = (first + timedelta(days=day) for day in range((last - first).days + 1))
    begins = [midnight(date, zone) for date in dates]
    return np.searchsorted(begins, moments, side="right")


def incident_table(columns: Columns, services: Iterable[tuple[str, ...]]) -> Table:
    """Incidents with our names of the services they touch, and whether customers felt them.

    Where the incident does not say, severity 1 and 2 are taken to affect customers (rule F7).
    """
    severity, affecting = columns["severity"], columns["customer_affecting"]
    severe = (severity != MISSING) & (severity <= 2)
    return Table.of(columns).with_columns(
        customers=np.where(affecting != MISSING, affecting == 1, severe),
        external=columns["external"] == 1,
        caused=columns["caused"] == 1,
        services=texts(services),
    )
