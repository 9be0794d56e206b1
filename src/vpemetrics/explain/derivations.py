"""The records behind each metric's figure, from the very rows that make it, and its arithmetic."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from vpemetrics.explain import arithmetic
from vpemetrics.explain.entries import EntryBuilder, drop_empty, exclusion, samples
from vpemetrics.explain.frames import Rows, frame
from vpemetrics.explain.model import CurveStep, RecordGroup
from vpemetrics.metrics import agents, dora, flow, reviews
from vpemetrics.metrics.agent_groups import compare_groups
from vpemetrics.metrics.facts import CONFIRMED, COUNTED, Slice
from vpemetrics.metrics.figures import Figure, Unit
from vpemetrics.metrics.table import Mask, Table
from vpemetrics.reports import words
from vpemetrics.reports.content import agent_comparison
from vpemetrics.store.record_lookup import View
from vpemetrics.window import DAY, MISSING, SECOND, merge_intervals


@dataclass(frozen=True, kw_only=True)
class Derivation:
    """The records behind a figure, and how it came from them."""

    groups: tuple[RecordGroup, ...] = ()
    arithmetic: tuple[str, ...] = ()
    curve: tuple[CurveStep, ...] = ()


def derive(view: View, cut: Slice, figure: Figure) -> Derivation:
    """The records a figure was made of and those it left out, and how it came about."""
    if figure.n is None and figure.value is None:
        return Derivation()
    derivation = _DERIVATIONS.get(figure.metric, _stage)
    return derivation(EntryBuilder(view, cut), figure)


# --- throughput ----------------------------------------------------------------------------------


def _frequency(builder: EntryBuilder, figure: Figure) -> Derivation:
    cut = builder.cut
    finished = frame(cut.finished)
    weeks = dora.collected_weeks(cut)
    collected = "" if not cut.partial else " that were collected of the window"
    each = ", ".join(
        f"{int(count)} {kind}" for kind in COUNTED if (count := figure.beside.get(kind))
    )
    return Derivation(
        groups=drop_empty(
            RecordGroup(
                title="Deployments counted",
                role="n",
                entries=builder.kinds(finished[finished.counts]),
            ),
            RecordGroup(
                title="Not counted (roll-outs of what is live elsewhere, failed attempts)",
                entries=builder.kinds(finished[~finished.counts]),
            ),
        ),
        arithmetic=(
            f"{words.quantity(figure.n or 0, 'deployment')}{f' ({each})' if each else ''} ÷ "
            f"{weeks:.6g} {'week' if weeks == 1 else 'weeks'}{collected} "
            f"= {figure.value:.6g} per week",
        ),
    )


def _gaps(builder: EntryBuilder, figure: Figure) -> Derivation:
    found = frame(dora.gaps(builder.cut).sort_by("seconds"))
    entries = builder.deployments(found, lambda _: "since the one before", value="seconds")
    return Derivation(
        groups=drop_empty(samples("Times since the deployment before", entries)),
        arithmetic=arithmetic.median_of_durations(found.seconds.tolist(), figure),
    )


def _lead_times(builder: EntryBuilder, figure: Figure) -> Derivation:
    found = frame(dora.lead_times(builder.cut).sort_by("seconds"))
    counted = samples("Changes counted", builder.changes(found, value="seconds"))
    return Derivation(
        groups=drop_empty(counted, *builder.exclusions(), *_waiting(builder)),
        arithmetic=(
            *arithmetic.median(found.seconds.tolist()),
            *arithmetic.woodruff(
                found.seconds.to_numpy(), found.deployed_id.to_numpy(), figure.interval
            ),
            *arithmetic.accounting(figure.beside),
        ),
    )


def _waiting(builder: EntryBuilder) -> Iterable[RecordGroup]:
    waiting = frame(builder.cut.waiting)
    waiting = waiting[~waiting["item"].isin(builder.cut.facts.changes["item"])]
    waiting = waiting.drop_duplicates("item").sort_values("merged_at")
    for reason in [None, *sorted(set(waiting.reason.dropna()))]:
        mine = waiting[waiting.reason.isna() if reason is None else waiting.reason == reason]
        why = "not deployed yet" if reason is None else f"not shipped, {words.reason(reason)}"
        entries = builder.changes(mine, at="merged_at")
        yield RecordGroup(title=f"Merged in the window, {why}", entries=entries)


def _within_24h(builder: EntryBuilder, figure: Figure) -> Derivation:
    found = frame(dora.lead_times(builder.cut).sort_by("seconds"))
    quick = found.seconds <= DAY / SECOND
    return Derivation(
        groups=drop_empty(
            samples("Within 24 h", builder.changes(found[quick], value="seconds"), role="k"),
            samples("Later than that", builder.changes(found[~quick], value="seconds")),
            *builder.exclusions(),
        ),
        arithmetic=tuple(arithmetic.proportion(figure)),
    )


# --- instability ---------------------------------------------------------------------------------


def _fail_rate(builder: EntryBuilder, figure: Figure, *, grades: Sequence[str]) -> Derivation:
    cut = builder.cut
    deployed, failures = frame(cut.forward), frame(cut.failures)
    failed = failures[failures.grade.isin(grades)]
    forward = failed[failed.kind == "forward"]
    anywhere = not deployed.sourced.any()
    counted = deployed[deployed.sourced | anywhere]
    k = forward[forward.sourced | anywhere]
    rest = counted[~counted.id.isin(k.deployed_id)]
    others = failures[~failures.grade.isin(grades)]
    return Derivation(
        groups=drop_empty(
            RecordGroup(
                title="Forward deployments that failed", role="k", entries=builder.failures(k)
            ),
            _suspicions(builder, others),
            RecordGroup(
                title="Failed, but not forward, so beside the rate",
                entries=builder.failures(failed[failed.kind != "forward"]),
            ),
            RecordGroup(
                title="Forward deployments without such evidence",
                role="n",
                entries=builder.kinds(rest),
            ),
            exclusion(
                "no_incident_source",
                builder.kinds(deployed[~(deployed.sourced | anywhere)]),
            ),
        ),
        arithmetic=tuple(arithmetic.proportion(figure)),
    )


def _suspicions(builder: EntryBuilder, rows: Rows) -> RecordGroup:
    return RecordGroup(title="Suspected only (D), not counted here", entries=builder.failures(rows))


def _rework(builder: EntryBuilder, figure: Figure) -> Derivation:
    deployed = frame(builder.cut.deployed)
    sourced = deployed.sourced | (not deployed.sourced.any())
    counted = deployed[sourced]
    planned = counted.unplanned.isna()
    unplanned = builder.deployments(
        counted[~planned], lambda row: f"{row.kind}: {_UNPLANNED[row.unplanned]}"
    )
    return Derivation(
        groups=drop_empty(
            RecordGroup(title="Unplanned deployments", role="k", entries=unplanned),
            RecordGroup(title="The others", role="n", entries=builder.kinds(counted[planned])),
            exclusion("no_incident_source", builder.kinds(deployed[~sourced])),
        ),
        arithmetic=tuple(arithmetic.proportion(figure)),
    )


def _recovery(builder: EntryBuilder, figure: Figure) -> Derivation:
    cut = builder.cut
    failures = frame(cut.failures)
    failed = failures[failures.grade.isin(CONFIRMED)]
    spells = frame(cut.finished_in(cut.facts.confirmed).sort_by("seconds"))
    found = spells[spells.timed]
    known = found[found.seconds >= 0]
    return Derivation(
        groups=drop_empty(
            samples("Confirmed failures", builder.failures(known)),
            exclusion("negative", builder.failures(found[found.seconds < 0])),
            exclusion("no_restored_at", builder.failures(failed[~failed.timed])),
            _suspicions(builder, failures[~failures.grade.isin(CONFIRMED)]),
        ),
        arithmetic=arithmetic.survival(known, figure, cut),
        curve=arithmetic.curve(known),
    )


def _restore_times(builder: EntryBuilder, figure: Figure) -> Derivation:
    cut = builder.cut
    began = cut.within(cut.facts.incidents, "began_at")
    found = frame(cut.facts.spells(began, "began_at").sort_by("seconds"))
    known = found[found.seconds >= 0]
    build = partial(builder.incidents, start="began_at", end="restored_at")
    return Derivation(
        groups=drop_empty(
            samples("Incidents that began in the window", build(known)),
            exclusion("negative", build(found[found.seconds < 0])),
        ),
        arithmetic=arithmetic.survival(known, figure, cut),
        curve=arithmetic.curve(known),
    )


def _outages(builder: EntryBuilder, figure: Figure) -> Derivation:
    found = frame(flow.outages(builder.cut))
    found = found.assign(seconds=(found.end - found.start) / SECOND).sort_values("start")
    summed = found[~found.forgotten]
    spans = merge_intervals(list(zip(summed.start.tolist(), summed.end.tolist(), strict=True)))
    build = partial(builder.incidents, start="start", end="end")
    zone = builder.cut.window.zone
    stretches = "; ".join(
        f"{arithmetic.clock(start, zone)} to {arithmetic.clock(end, zone)} "
        f"({words.duration((end - start) / SECOND)})"
        for start, end in spans
    )
    return Derivation(
        groups=drop_empty(
            RecordGroup(
                title="Customer-affecting incidents, cut to the window",
                role="n",
                unit=Unit.SECONDS,
                entries=build(summed),
            ),
            exclusion("open_without_update", build(found[found.forgotten])),
            exclusion(
                "negative",
                builder.incidents(
                    frame(flow.ended_before_start(builder.cut)),
                    start="began_at",
                    end="restored_at",
                ),
            ),
        ),
        arithmetic=(
            f"Overlaps count once: {stretches or 'none'}. "
            f"Together {figure.value:,.0f} s = {words.duration(figure.value or 0.0)}.",
        ),
    )


# --- flow ----------------------------------------------------------------------------------------


def _batches(builder: EntryBuilder, _: Figure) -> Derivation:
    found = frame(flow.batches(builder.cut).sort_by("changes"))
    forward = frame(builder.cut.forward)
    entries = builder.deployments(
        found, lambda row: f"{row.people:.0f} of them by people and agents", value="changes"
    )
    return Derivation(
        groups=drop_empty(
            RecordGroup(
                title="Forward deployments and their changes",
                role="n",
                unit=Unit.COUNT,
                by_value=True,
                entries=entries,
            ),
            RecordGroup(
                title="Forward deployments whose changes are not known or do not count",
                entries=builder.kinds(forward[~forward.id.isin(found.id)]),
            ),
        ),
        arithmetic=tuple(arithmetic.median(found.changes.tolist(), Unit.COUNT)),
    )


def _parts(
    builder: EntryBuilder, changes: Table, those: Mask, titles: tuple[str, str]
) -> tuple[RecordGroup, ...]:
    """Changes in two groups: those that a figure counts, and the others."""
    first, others = (builder.changes(frame(changes.where(part))) for part in (those, ~those))
    return (
        RecordGroup(title=titles[0], role="k", entries=first),
        RecordGroup(title=titles[1], role="n", entries=others),
    )


def _agents(builder: EntryBuilder, figure: Figure) -> Derivation:
    changes = agents.written(builder.cut)
    marked = figure.metric == "marked_changes"
    those = changes["marked"] if marked else agents.by_agents(changes)
    titles = ("Changes that name a tool", "Others") if marked else ("By agents", "By people")
    return Derivation(
        groups=drop_empty(*_parts(builder, changes, those, titles)),
        arithmetic=(
            f"{'At least ' * marked}{figure.k} of {figure.n} changes.",
            *(agent_comparison(beside) if (beside := compare_groups(builder.cut)) else ()),
        ),
    )


def _without_review(builder: EntryBuilder, figure: Figure) -> Derivation:
    known = reviews.with_reviews(builder.cut)
    rest = agents.written(builder.cut)
    rest = rest.where(~np.isin(rest["item"], known["item"]))
    titles = ("Not reviewed before the merge", "Reviewed")
    return Derivation(
        groups=drop_empty(
            *_parts(builder, known, ~known["reviewed"], titles),
            exclusion("no_review_source", builder.changes(frame(rest))),
        ),
        arithmetic=tuple(arithmetic.proportion(figure)),
    )


def _review_waits(builder: EntryBuilder, figure: Figure) -> Derivation:
    found = frame(reviews.review_waits(builder.cut).sort_by("seconds"))
    entries = builder.changes(found, value="seconds", at="ready_at")
    return Derivation(
        groups=drop_empty(samples("Pull requests and how long they waited", entries)),
        arithmetic=arithmetic.survival(found, figure, builder.cut),
        curve=arithmetic.curve(found),
    )


def _open(builder: EntryBuilder, figure: Figure) -> Derivation:
    found = frame(reviews.waiting(builder.cut))
    bare = found.first_review_at == MISSING
    return Derivation(
        groups=drop_empty(
            RecordGroup(
                title="Open and ready, not reviewed yet",
                role="k",
                entries=builder.changes(found[bare], at="ready_at"),
            ),
            RecordGroup(
                title="Open and ready, reviewed",
                role="n",
                entries=builder.changes(found[~bare], at="ready_at"),
            ),
        ),
        arithmetic=(f"{figure.k} of {figure.n} open pull requests wait for a first review.",),
    )


def _stage(builder: EntryBuilder, figure: Figure) -> Derivation:
    if figure.value is None:
        return Derivation()
    name = figure.metric.removeprefix("stage_")
    rows = frame(flow.stages(builder.cut).sort_by(name))
    rows = rows.assign(total=rows[list(flow.STAGES)].sum(axis=1))
    part, whole = rows[name].sum(), rows.total.sum()
    counted = frame(builder.cut.counted_changes)
    untimed = counted[~counted["item"].isin(rows["item"])]
    entries = builder.changes(rows, value=name, total="total")
    return Derivation(
        groups=drop_empty(
            samples("Pull requests with all times known", entries),
            RecordGroup(
                title="In lead time, but not all of its times are known",
                entries=builder.changes(untimed),
            ),
        ),
        arithmetic=(
            f"{words.duration(part)} in this stage ÷ {words.duration(whole)} in all stages "
            f"= {part:,.0f} s ÷ {whole:,.0f} s = {part / whole:.4f}",
        ),
    )


_DERIVATIONS: Final[Mapping[str, Callable[[EntryBuilder, Figure], Derivation]]] = {
    "deployment_frequency": _frequency,
    "time_between_deployments": _gaps,
    "change_lead_time": _lead_times,
    "share_within_24h": _within_24h,
    "change_fail_rate": partial(_fail_rate, grades=CONFIRMED),
    "change_fail_rate_with_suspected": partial(_fail_rate, grades=(*CONFIRMED, "D")),
    "deployment_rework_rate": _rework,
    "failed_deployment_recovery_time": _recovery,
    "incident_restore_time": _restore_times,
    "customers_affected_time": _outages,
    "batch_size": _batches,
    "agent_changes": _agents,
    "marked_changes": _agents,
    "shipped_without_review": _without_review,
    "first_review_wait": _review_waits,
    "changes_waiting": _open,
}

_UNPLANNED: Final = {
    "rollback": "it took something back",
    "fix": "ships the fix of an incident",
    "revert": "ships a confirmed revert",
    "hotfix": "a hotfix by label, branch or its own word",
}
