"""The records behind a figure, from the very rows that make it, and its arithmetic in words."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo

from vpemetrics.metrics import dora, flow, intervals
from vpemetrics.metrics.facts import CONFIRMED, COUNTED, Slice
from vpemetrics.metrics.figures import Figure, IntervalRef, Unit
from vpemetrics.reports import words
from vpemetrics.reports.explanation import CurveStep, Entry, RecordGroup, RecordKind
from vpemetrics.store import metric_queries, record_lookup
from vpemetrics.store.record_lookup import View
from vpemetrics.window import DAY, MISSING, SECOND, Micros, from_micros, merge_intervals

Rows = Any
"""A frame of a Slice's table, or one row of it."""


@dataclass(frozen=True, kw_only=True)
class Behind:
    """What stands behind a figure."""

    groups: tuple[RecordGroup, ...] = ()
    arithmetic: tuple[str, ...] = ()
    curve: tuple[CurveStep, ...] = ()


def behind(view: View, cut: Slice, figure: Figure) -> Behind:
    """The records a figure was made of and those it left out, and how it came about."""
    if figure.n is None and figure.value is None:
        return Behind()
    tell = _TELL.get(figure.metric, _stage)
    return tell(_Teller(view, cut), figure)


class _Teller:
    """Turns rows of frames into entries; names are read from the store."""

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
                at=_time(row.finished_at),
                start_at=_time(getattr(row, start)) if start else None,
                value=float(getattr(row, value)) if value else None,
                open=not getattr(row, "over", True),
                what=", ".join(filter(None, (_short(name.commit), what(row)))),
            )
            for row in rows.itertuples()
        )

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
                kind=_KINDS[(name := named[row.item]).kind],
                id=name.name,
                url=name.url,
                service=row.service,
                at=_time(getattr(row, at)),
                start_at=_time(row.start_at) if shipped else None,
                end_at=_time(row.finished_at) if shipped else None,
                value=float(getattr(row, value)) if value else None,
                total=float(getattr(row, total)) if total else None,
                what=_shipped_by(row, by) if shipped else "",
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
                at=_time(row.began_at),
                start_at=_time(getattr(row, start)),
                end_at=_time(getattr(row, end)),
                value=float(row.seconds),
                open=row.restored_at == MISSING,
                what="external" if row.external else "",
            )
            for row in rows.itertuples()
        )

    def left_out(self) -> Iterable[RecordGroup]:
        """Changes that lead time leaves out, by reason, and deployments of unknown commits."""
        changes, forward = self.cut.changes.frame(), self.cut.forward.frame()
        for reason in sorted(set(changes.reason.dropna())):
            found = changes[changes.reason == reason].sort_values("finished_at")
            yield _left_out(reason, self.changes(found))
        unknown = forward[forward.unknown]
        if len(unknown):
            entries = self.deployments(unknown, lambda _: "ships no counted changes")
            yield _left_out("unknown_commit", entries)

    def failures(self, rows: Rows) -> tuple[Entry, ...]:
        """Failed deployments with the evidence for it."""
        said = metric_queries.failed(self.view, rows.deployed_id.tolist())

        def what(row: Any) -> str:
            one = said[row.deployed_id]
            kind = "" if row.kind == "forward" else f"{row.kind}, "
            named = f" ({', '.join(one.incidents)})" if one.incidents else ""
            return f"{kind}{row.grade}: {'; '.join(one.evidence)}{named}"

        timed = {"value": "seconds", "start": "start_at"} if "seconds" in rows else {}
        return self.deployments(rows, what, id_="deployed_id", **timed)


# --- throughput ---------------------------------------------------------------------------------


def _frequency(teller: _Teller, figure: Figure) -> Behind:
    cut = teller.cut
    finished = cut.finished.frame()
    weeks = dora.collected_weeks(cut)
    collected = "" if not cut.partial else " that were collected of the window"
    each = ", ".join(
        f"{int(count)} {kind}" for kind in COUNTED if (count := figure.beside.get(kind))
    )
    return Behind(
        groups=_filled(
            RecordGroup(
                title="Deployments counted",
                role="n",
                entries=_with_kind(teller, finished[finished.counts]),
            ),
            RecordGroup(
                title="Not counted (roll-outs of what is live elsewhere, failed attempts)",
                entries=_with_kind(teller, finished[~finished.counts]),
            ),
        ),
        arithmetic=(
            f"{words.quantity(figure.n or 0, 'deployment')}{f' ({each})' if each else ''} ÷ "
            f"{weeks:.6g} {'week' if weeks == 1 else 'weeks'}{collected} "
            f"= {figure.value:.6g} per week",
        ),
    )


def _with_kind(teller: _Teller, rows: Rows) -> tuple[Entry, ...]:
    return teller.deployments(rows, lambda row: _KIND_WORDS.get(row.kind, row.kind))


def _gaps(teller: _Teller, figure: Figure) -> Behind:
    found = dora.gaps(teller.cut).ordered("seconds").frame()
    entries = teller.deployments(found, lambda _: "since the one before", value="seconds")
    return Behind(
        groups=_filled(_samples("Times since the deployment before", entries)),
        arithmetic=_median_of_durations(found.seconds.tolist(), figure),
    )


def _lead_times(teller: _Teller, figure: Figure) -> Behind:
    found = dora.lead_times(teller.cut).ordered("seconds").frame()
    samples = _samples("Changes counted", teller.changes(found, value="seconds"))
    return Behind(
        groups=_filled(samples, *teller.left_out(), *_waiting(teller)),
        arithmetic=(
            *_median(found.seconds.tolist()),
            *_woodruff(found.seconds.to_numpy(), found.deployed_id.to_numpy(), figure.interval),
            *_accounting(figure.beside),
        ),
    )


def _waiting(teller: _Teller) -> Iterable[RecordGroup]:
    waiting = teller.cut.waiting.frame()
    waiting = waiting[~waiting["item"].isin(teller.cut.facts.changes["item"])]
    waiting = waiting.drop_duplicates("item").sort_values("merged_at")
    for reason in [None, *sorted(set(waiting.reason.dropna()))]:
        mine = waiting[waiting.reason.isna() if reason is None else waiting.reason == reason]
        why = "not deployed yet" if reason is None else f"not shipped, {words.reason(reason)}"
        entries = teller.changes(mine, at="merged_at")
        yield RecordGroup(title=f"Merged in the window, {why}", entries=entries)


def _accounting(beside: Mapping[str, float]) -> Iterable[str]:
    merged_, shipped = int(beside["merged"]), int(beside["merged_shipped"])
    waiting, left_out = int(beside["waiting"]), int(beside["merged_excluded"])
    if not merged_:
        yield "No pull request was merged in the window."
        return
    yield (
        f"Pull requests merged in the window: {merged_:,}; shipped and counted, whenever that was: "
        f"{shipped:,}; waiting: {waiting:,}; left out by reason: {left_out:,}."
    )


def _within_24h(teller: _Teller, figure: Figure) -> Behind:
    found = dora.lead_times(teller.cut).ordered("seconds").frame()
    quick = found.seconds <= DAY / SECOND
    return Behind(
        groups=_filled(
            _samples("Within 24 h", teller.changes(found[quick], value="seconds"), role="k"),
            _samples("Later than that", teller.changes(found[~quick], value="seconds")),
            *teller.left_out(),
        ),
        arithmetic=tuple(_proportion(figure)),
    )


# --- instability --------------------------------------------------------------------------------


def _fail_rate(teller: _Teller, figure: Figure, *, grades: Sequence[str]) -> Behind:
    cut = teller.cut
    deployed, failures = cut.forward.frame(), cut.failures.frame()
    failed = failures[failures.grade.isin(grades)]
    forward = failed[failed.kind == "forward"]
    anywhere = not deployed.sourced.any()
    counted = deployed[deployed.sourced | anywhere]
    k = forward[forward.sourced | anywhere]
    rest = counted[~counted.id.isin(k.deployed_id)]
    others = failures[~failures.grade.isin(grades)]
    return Behind(
        groups=_filled(
            RecordGroup(
                title="Forward deployments that failed", role="k", entries=teller.failures(k)
            ),
            _suspected(teller, others),
            RecordGroup(
                title="Failed, but not forward, so beside the rate",
                entries=teller.failures(failed[failed.kind != "forward"]),
            ),
            RecordGroup(
                title="Forward deployments without such evidence",
                role="n",
                entries=_with_kind(teller, rest),
            ),
            _left_out(
                "no_incident_source",
                _with_kind(teller, deployed[~(deployed.sourced | anywhere)]),
            ),
        ),
        arithmetic=tuple(_proportion(figure)),
    )


def _suspected(teller: _Teller, rows: Rows) -> RecordGroup:
    return RecordGroup(title="Suspected only (D), not counted here", entries=teller.failures(rows))


def _rework(teller: _Teller, figure: Figure) -> Behind:
    deployed = teller.cut.deployed.frame()
    planned = deployed.unplanned.isna()
    unplanned = teller.deployments(
        deployed[~planned], lambda row: f"{row.kind}: {_UNPLANNED[row.unplanned]}"
    )
    return Behind(
        groups=_filled(
            RecordGroup(title="Unplanned deployments", role="k", entries=unplanned),
            RecordGroup(
                title="The others", role="n", entries=_with_kind(teller, deployed[planned])
            ),
        ),
        arithmetic=tuple(_proportion(figure)),
    )


def _recovery(teller: _Teller, figure: Figure) -> Behind:
    cut = teller.cut
    failures = cut.failures.frame()
    failed = failures[failures.grade.isin(CONFIRMED)]
    spells = cut.finished_in(cut.facts.confirmed).ordered("seconds").frame()
    found = spells[spells.timed]
    known = found[found.seconds >= 0]
    return Behind(
        groups=_filled(
            _samples("Confirmed failures", teller.failures(known)),
            _left_out("negative", teller.failures(found[found.seconds < 0])),
            _left_out("no_restored_at", teller.failures(failed[~failed.timed])),
            _suspected(teller, failures[~failures.grade.isin(CONFIRMED)]),
        ),
        arithmetic=_survival(known, figure, cut),
        curve=_curve(known),
    )


def _restoring(teller: _Teller, figure: Figure) -> Behind:
    cut = teller.cut
    began = cut.within(cut.facts.incidents, "began_at")
    found = cut.facts.spells(began, "began_at").ordered("seconds").frame()
    known = found[found.seconds >= 0]
    tell = partial(teller.incidents, start="began_at", end="restored_at")
    return Behind(
        groups=_filled(
            _samples("Incidents that began in the window", tell(known)),
            _left_out("negative", tell(found[found.seconds < 0])),
        ),
        arithmetic=_survival(known, figure, cut),
        curve=_curve(known),
    )


def _outages(teller: _Teller, figure: Figure) -> Behind:
    found = flow.outages(teller.cut).frame()
    found = found.assign(seconds=(found.end - found.start) / SECOND).sort_values("start")
    summed = found[~found.forgotten]
    spans = merge_intervals(list(zip(summed.start.tolist(), summed.end.tolist(), strict=True)))
    tell = partial(teller.incidents, start="start", end="end")
    zone = teller.cut.window.zone
    stretches = "; ".join(
        f"{_clock(a, zone)} to {_clock(b, zone)} ({words.duration((b - a) / SECOND)})"
        for a, b in spans
    )
    return Behind(
        groups=_filled(
            RecordGroup(
                title="Customer-affecting incidents, cut to the window",
                role="n",
                unit=Unit.SECONDS,
                entries=tell(summed),
            ),
            _left_out("open_without_update", tell(found[found.forgotten])),
        ),
        arithmetic=(
            f"Overlaps count once: {stretches or 'none'}. "
            f"Together {figure.value:,.0f} s = {words.duration(figure.value or 0.0)}.",
        ),
    )


# --- flow ---------------------------------------------------------------------------------------


def _batches(teller: _Teller, _: Figure) -> Behind:
    found = flow.batches(teller.cut).ordered("changes").frame()
    forward = teller.cut.forward.frame()
    entries = teller.deployments(
        found, lambda row: f"{row.people:.0f} of them by people", value="changes"
    )
    return Behind(
        groups=_filled(
            RecordGroup(
                title="Forward deployments and their changes",
                role="n",
                unit=Unit.COUNT,
                by_value=True,
                entries=entries,
            ),
            RecordGroup(
                title="Forward deployments whose changes are not known or do not count",
                entries=_with_kind(teller, forward[~forward.id.isin(found.id)]),
            ),
        ),
        arithmetic=tuple(_median(found.changes.tolist(), Unit.COUNT)),
    )


def _stage(teller: _Teller, figure: Figure) -> Behind:
    if figure.value is None:
        return Behind()
    name = figure.metric.removeprefix("stage_")
    rows = flow.stages(teller.cut).ordered(name).frame()
    rows = rows.assign(total=rows[list(flow.STAGES)].sum(axis=1))
    part, whole = rows[name].sum(), rows.total.sum()
    counted = teller.cut.counted_changes.frame()
    untimed = counted[~counted["item"].isin(rows["item"])]
    entries = teller.changes(rows, value=name, total="total")
    return Behind(
        groups=_filled(
            _samples("Pull requests with all times known", entries),
            RecordGroup(
                title="In lead time, but not all of its times are known",
                entries=teller.changes(untimed),
            ),
        ),
        arithmetic=(
            f"{words.duration(part)} in this stage ÷ {words.duration(whole)} in all stages "
            f"= {part:,.0f} s ÷ {whole:,.0f} s = {part / whole:.4f}",
        ),
    )


_TELL: Final[Mapping[str, Callable[[_Teller, Figure], Behind]]] = {
    "deployment_frequency": _frequency,
    "time_between_deployments": _gaps,
    "change_lead_time": _lead_times,
    "share_within_24h": _within_24h,
    "change_fail_rate": partial(_fail_rate, grades=CONFIRMED),
    "change_fail_rate_with_suspected": partial(_fail_rate, grades=(*CONFIRMED, "D")),
    "deployment_rework_rate": _rework,
    "failed_deployment_recovery_time": _recovery,
    "incident_restore_time": _restoring,
    "customers_affected_time": _outages,
    "batch_size": _batches,
}

_KINDS: Final[Mapping[str, RecordKind]] = {"pull_requests": "pull_request", "commits": "commit"}
_KIND_WORDS: Final = {"attempt": "failed attempt, never reached production"}
_UNPLANNED: Final = {
    "rollback": "it took something back",
    "fix": "ships the fix of an incident",
    "revert": "ships a confirmed revert",
    "hotfix": "a hotfix by label, branch or its own word",
}


# --- arithmetic in words ------------------------------------------------------------------------


def _proportion(figure: Figure) -> Iterable[str]:
    k, n, limits = figure.k or 0, figure.n or 0, figure.interval
    if figure.value is None:
        return
    yield f"{k} ÷ {n} = {k / n:.4f}"
    if limits is None or limits.low is None or limits.high is None:
        return
    z = intervals.normal_quantile((1 + limits.level) / 2)
    yield (
        f"Wilson with k = {k}, n = {n}, z = {z:.4f}: {(k + z * z / 2) / (n + z * z):.4f} ± "
        f"{z / (n + z * z) * math.sqrt(k * (n - k) / n + z * z / 4):.4f}, "
        f"so {limits.low:.4f} to {limits.high:.4f}"
    )
    if n < words.ENOUGH_FOR_A_PERCENTAGE:
        yield f"n is below {words.ENOUGH_FOR_A_PERCENTAGE}, so reports print {k}/{n} alone."


def _median(ranked: Sequence[float], unit: Unit = Unit.SECONDS) -> Iterable[str]:
    """How the median comes from samples in ascending order, by interpolation of type 7."""
    n = len(ranked)
    if not n:
        yield "There is no sample in the window."
        return
    if unit is Unit.SECONDS and n < dora.FEW:
        samples = words.quantity(n, "sample")
        yield f"{samples}: with fewer than {dora.FEW} the values are listed, without a median."
        return
    position = (n - 1) / 2
    below = int(position)
    if position == below:
        said = _precise(ranked[below], unit)
        yield f"n = {n:,}: the median is sample {below + 1:,} in ascending order, {said}"
        return
    low, high = ranked[below], ranked[below + 1]
    yield (
        f"n = {n:,}: the median lies at 0.5·(n − 1) = {position:,} steps from the least, between "
        f"sample {below + 1:,} ({_precise(low, unit)}) and sample {below + 2:,} "
        f"({_precise(high, unit)}): half the way = {_precise(low + (high - low) / 2, unit)}"
    )


def _median_of_durations(ranked: Sequence[float], figure: Figure) -> tuple[str, ...]:
    return (*_median(ranked), *_ranks(ranked, figure.interval))


def _ranks(ranked: Sequence[float], limits: IntervalRef | None) -> Iterable[str]:
    if limits is None or limits.low is None:
        return
    rank, n = ranked.index(limits.low) + 1, len(ranked)
    yield (
        f"95 % interval: exact order statistics, samples {rank} and {n + 1 - rank} of {n}, "
        f"{words.interval(limits, Unit.SECONDS)}"
    )


def _woodruff(seconds: Any, clusters: Any, limits: IntervalRef | None) -> Iterable[str]:
    if len(seconds) < dora.FEW:
        return
    m = len(set(clusters.tolist()))
    if m < intervals.FEWEST:
        only = words.quantity(m, "deployment")
        yield f"No interval: only {only} shipped them, {intervals.FEWEST} are needed."
        return
    spread = intervals.woodruff_spread(seconds, clusters)
    inputs = (
        f"Woodruff with m = {m} deployments as clusters: v = m/(m−1)·Σe²/n² = "
        f"{spread.variance:.6f}, h = t·√v = {spread.t:.3f}·{math.sqrt(spread.variance):.4f} = "
        f"{spread.h:.4f}"
    )
    if limits is None:
        yield f"{inputs}; nothing to tell the width from, so no interval"
        return
    said = words.interval(limits, Unit.SECONDS)
    yield f"{inputs}; the samples' quantiles at 0.5 ± h: {said}"


def _survival(found: Rows, figure: Figure, cut: Slice) -> tuple[str, ...]:
    n, still_open = len(found), int((~found.over).sum())
    if not n:
        return ("None is known in the window.",)
    if n < dora.FEW:
        return (f"{n} in all: with fewer than {dora.FEW} the values are listed, without a median.",)
    now = _clock(cut.facts.data_as_of, cut.window.zone)
    until = f" (they run to data as of {now})" if still_open else ""
    rule = (
        f"Kaplan-Meier over {n}, {still_open} of them still open{until}: the median is the "
        "smallest t with S(t) < 0.5, or the middle of the stretch where S is exactly 0.5"
    )
    came = "; there is none so far" if figure.value is None else f": {_precise(figure.value)}"
    ranks = [] if still_open else _ranks(found.seconds.tolist(), figure.interval)
    return (rule + came, *ranks, *_band(figure.interval))


def _band(limits: IntervalRef | None) -> Iterable[str]:
    if limits is not None and limits.method == "brookmeyer_crowley":
        said = words.interval(limits, Unit.SECONDS)
        yield f"95 % interval by Brookmeyer and Crowley (log-log band around S): {said}"


def _curve(found: Rows) -> tuple[CurveStep, ...]:
    if len(found) < dora.FEW:
        return ()
    curve = intervals.kaplan_meier(found.seconds.to_numpy(), found.over.to_numpy())
    columns = (curve.times, curve.at_risk, curve.ended, curve.survival)
    return tuple(
        CurveStep(seconds=t, at_risk=at_risk, ended=ended, survival=s)
        for t, at_risk, ended, s in zip(*(c.tolist() for c in columns), strict=True)
    )


def _precise(value: float, unit: Unit = Unit.SECONDS) -> str:
    if unit is Unit.COUNT:
        return f"{value:g}"
    return f"{value:,.0f} s = {words.duration(value)}"


# --- entries ------------------------------------------------------------------------------------


def _samples(title: str, entries: tuple[Entry, ...], role: Any = "n") -> RecordGroup:
    return RecordGroup(title=title, role=role, unit=Unit.SECONDS, by_value=True, entries=entries)


def _left_out(reason: str, entries: tuple[Entry, ...]) -> RecordGroup:
    title = f"Left out, {words.reason(reason)}"
    return RecordGroup(title=title, role="left_out", reason=reason, entries=entries)


def _filled(*groups: RecordGroup) -> tuple[RecordGroup, ...]:
    return tuple(group for group in groups if group.entries)


def _shipped_by(row: Any, by: Mapping[int, record_lookup.NamedRecord]) -> str:
    shipped = f"in {by[row.deployed_id].name}"
    return f"{shipped}, starts at its merge" if row.at_merge else shipped


def _short(sha: str | None) -> str:
    return sha[:7] if sha else "unknown commit"


def _time(at: Micros) -> datetime | None:
    return None if at == MISSING else from_micros(int(at))


def _clock(at: Micros, zone: str) -> str:
    return f"{from_micros(at).astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"
