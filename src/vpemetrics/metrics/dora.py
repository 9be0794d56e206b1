"""The five DORA metrics and their nearest kin (rules T1 to T4, F2 to F5). Pure functions.

A ratio without a denominator and a duration without samples have no value: None, never 0.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from vpemetrics.metrics import intervals
from vpemetrics.metrics.facts import CONFIRMED, COUNTED, Slice, length
from vpemetrics.metrics.figures import Figure, FigureCoverage, IntervalRef, WindowRef
from vpemetrics.metrics.registry import METRICS
from vpemetrics.metrics.table import Column, Table, distinct, is_one_of
from vpemetrics.window import (
    HOUR,
    SECOND,
    Interval,
    Micros,
    Window,
    date_of,
    midnight,
    month_of,
    previous,
    weeks_before,
    weeks_in,
)

FEW: Final = 6
ENOUGH: Final = 20
NOT_COLLECTED: Final = "not collected"
_OF_CHANGES: Final = (
    "change_lead_time",
    "share_within_24h",
    "batch_size",
    "stage_",
    "agent_changes",
    "marked_changes",
    "shipped_without_review",
)
"""The beginnings of the names of metrics that are about changes."""
_OF_INCIDENTS: Final = ("incident_restore_time", "customers_affected_time")
MAY_RISE: Final = (
    "change_fail_rate",
    "change_fail_rate_with_suspected",
    "deployment_rework_rate",
    "failed_deployment_recovery_time",
)
"""Metrics that failures which come to light late make worse (rule L6)."""
NO_INCIDENT_SOURCE: Final = "no incident source"
NO_CHANGE_SOURCE: Final = "no change source"
NO_REVIEW_SOURCE: Final = "no review source"


def figure(cut: Slice, metric: str, value: float | None, **details: Any) -> Figure:
    """A figure of a metric about a cut, with what all figures carry filled in.

    Of a window that nobody collected nothing is known: no value, and no counts of 0 (rule G2).
    Nor is anything of changes where no source tells of any.
    """
    definition = METRICS[metric]
    unknown = not cut.incidents_collected if metric in _OF_INCIDENTS else cut.unknown
    if unknown:
        value, details = None, {"note": NOT_COLLECTED if cut.unknown else details.get("note")}
    elif metric.startswith(_OF_CHANGES) and not cut.changes_collected:
        kept = ("k", "n", "beside", "excluded")
        details = {name: found for name, found in details.items() if name in kept}
        value, details["note"] = None, NO_CHANGE_SOURCE
    return Figure(
        metric=metric,
        definition_id=definition.definition_id,
        scope=cut.scope,
        window=reference(cut.window),
        value=None if value is None else float(value),
        unit=definition.unit,
        provisional=not unknown and metric in MAY_RISE and cut.provisional,
        partial=cut.partial,
        coverage=_coverage(cut),
        **details,
    )


@lru_cache(maxsize=128)
def reference(window: Window) -> WindowRef:
    """A window as figures name it."""
    return WindowRef(start=window.start, end=window.end, label=window.label)


def interval(found: intervals.Interval | None) -> IntervalRef | None:
    """A confidence interval as figures carry it."""
    if found is None:
        return None
    return IntervalRef(
        low=found.low,
        high=found.high,
        level=found.level,
        method=found.method,
        approx=found.approx,
    )


def _coverage(cut: Slice) -> FigureCoverage:
    spans, zone = cut.collected, cut.window.zone
    return FigureCoverage(
        services=len(cut.covered_services),
        of=len(cut.facts.services),
        start=date_of(spans[0][0], zone) if spans else None,
        end=date_of(spans[-1][1] - 1, zone) + timedelta(days=1) if spans else None,
        incidents=bool(cut.with_incidents),
    )


# --- throughput ---------------------------------------------------------------------------------


def deployment_frequency(cut: Slice) -> Figure:
    """Deployments that count, per week of what was collected of the window (rule T3).

    Counted: forward, redeploy, rollback, stale. Beside it: each kind, roll-outs and failed
    attempts, days with a deployment per week; for several services the median over those covered,
    zeros counting. A collected window without deployments has 0; one not collected has no value.
    """
    if cut.unknown:
        return figure(cut, "deployment_frequency", None)
    weeks = collected_weeks(cut)
    kinds = _occurrences(cut.finished["kind"])
    beside = {kind: float(kinds[kind]) for kind in _KINDS}
    beside["failed_attempts"] = float(kinds["attempt"])
    if not cut.partial:
        beside["days_with_deployment"] = distinct(cut.deployed["day"]) / weeks
    if cut.facts.pooled and cut.covered_services:
        counts = _occurrences(cut.deployed["service"])
        each = [counts[service] / weeks for service in cut.covered_services]
        beside["median_service"] = float(np.median(each))
    n = len(cut.deployed)
    return figure(cut, "deployment_frequency", n / weeks, n=n, beside=beside, note=cadence(cut))


def collected_weeks(cut: Slice) -> float:
    """The number of weeks of the window that were collected; all of it where nobody says."""
    start, end = cut.stretch
    collected = length(cut.collected or [cut.stretch]) * SECOND
    return cut.window.weeks * collected / (end - start)


_KINDS: Final = (*COUNTED, "rollout")


def cadence(cut: Slice) -> str | None:
    """The pace in words, over the 13 complete collected weeks up to the window's end (rule T3).

    None while fewer were collected, or where months decide and not all three of them were.
    """
    weeks = _whole_stretches(cut, _complete_weeks(cut.window, 13))[-13:]
    if len(weeks) < 13:
        return None
    if np.median(_in_each(weeks, cut.facts.deployment_days)) >= 3:
        return "daily"
    if np.median(_in_each(weeks, cut.facts.deployment_times)) >= 1:
        return "weekly"
    months = _whole_stretches(cut, _complete_months(cut.window, 3))
    if len(months) < 3:
        return None
    often = np.median(_in_each(months, cut.facts.deployment_times)) >= 1
    return "monthly" if often else "less than monthly"


def _in_each(stretches: Sequence[Interval], moments: npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
    """Count how many of the moments, which are in order, lie in each stretch."""
    return np.diff(np.searchsorted(moments, np.array(stretches)), axis=1)[:, 0]


def _whole_stretches(cut: Slice, stretches: Iterable[Interval]) -> list[Interval]:
    """The stretches that were collected from end to end."""
    spans = cut.facts.collected
    return [(a, b) for a, b in stretches if any(c <= a and b <= d for c, d in spans)]


@lru_cache(maxsize=128)
def _complete_weeks(window: Window, count: int) -> list[Interval]:
    """At least the `count` whole weeks before a window's end; all of a longer window."""
    long = window if window.days >= 7 * count else weeks_before(window, count + 1)
    return [(week.start_at, week.end_at) for week, clipped in weeks_in(long) if not clipped]


@lru_cache(maxsize=128)
def _complete_months(window: Window, count: int) -> list[Interval]:
    month, months = month_of(window.end, window.zone), []
    for _ in range(count):
        month = previous(month)
        months.append((month.start_at, month.end_at))
    return months


def time_between_deployments(cut: Slice) -> Figure:
    """Median time from one deployment of a service to its next, booked to the later one."""
    return durations(cut, "time_between_deployments", gaps(cut)["seconds"])


def gaps(cut: Slice) -> Table:
    """Deployments of the window that have one before, with the `seconds` since that."""
    return cut.finished_in(cut.facts.gaps)


def durations(cut: Slice, metric: str, found: npt.NDArray[np.float64], **details: Any) -> Figure:
    """A median of independent durations: listed below six, p90 from twenty, else the slowest."""
    beside: dict[str, float] = dict(details.pop("beside", {})) | extremes(found)
    few = len(found) < FEW
    return figure(
        cut,
        metric,
        None if few else intervals.median(found),
        n=len(found),
        interval=None if few else interval(intervals.order_statistic_interval(found)),
        values=tuple(sorted(found.tolist())) if few else (),
        beside=beside,
        **details,
    )


def extremes(found: npt.NDArray[np.float64]) -> dict[str, float]:
    """The 90th percentile of twenty or more samples, the slowest of fewer."""
    if not len(found):
        return {}
    if len(found) >= ENOUGH:
        return {"p90": float(np.quantile(found, 0.9))}
    return {"slowest": float(found.max())}


def lead_times(cut: Slice) -> Table:
    """The samples of change lead time: changes with their `seconds`, skew of minutes cut to 0.

    With `each_commit` a change has as many samples as commits.
    """
    return cut.finished_in(cut.facts.samples)


def change_lead_time(cut: Slice) -> Figure:
    """Median time from a change's first commit to its first production deployment (rule T1).

    Changes by people and agents shipped in the window; left out and counted: automation, what the
    first known deployment held, and by reason. Interval: Woodruff with deployments as clusters.
    """
    samples = lead_times(cut)
    seconds, clusters = samples["seconds"], samples["deployed_id"]
    few = len(seconds) < FEW
    beside = extremes(seconds) | {
        "starts_at_merge": int(samples["at_merge"].sum()),
        **accounting(cut),
    }
    found = None if few else intervals.woodruff(seconds, clusters)
    return figure(
        cut,
        "change_lead_time",
        None if few else intervals.median(seconds),
        n=len(seconds),
        deployments=distinct(clusters),
        interval=interval(found),
        values=tuple(sorted(seconds.tolist())) if few else (),
        excluded=exclusions(cut),
        attribution=attribution(cut),
        beside=beside,
    )


def exclusions(cut: Slice) -> dict[str, int]:
    """Changes left out of lead time by reason; deployments of unknown commits beside them."""
    found = _occurrences(cut.changes.where(~cut.changes["counted"])["reason"])
    found["negative"] += len(cut.finished_in(cut.facts.negatives))
    found["unknown_commit"] += int(cut.deployed["unknown"].sum())
    return {reason: count for reason, count in sorted(found.items()) if count}


def _occurrences(texts: Column) -> Counter[str]:
    """Count how often each text occurs, where there is one."""
    found = Counter(texts.tolist())
    del found[None]
    return found


def accounting(cut: Slice) -> dict[str, float]:
    """Account for the pull requests merged in the window, by what became of them (rule G5).

    merged = merged_shipped + waiting + merged_excluded; direct commits are not among them.
    """
    found = {
        fate: int(np.diff(np.searchsorted(moments, cut.stretch))[0])
        for fate, moments in cut.facts.merges.items()
    }
    return {
        "merged": sum(found.values()),
        "merged_shipped": found["shipped"],
        "merged_excluded": found["excluded"],
        "waiting": found["waiting"],
    }


def attribution(cut: Slice) -> Literal["graph", "time", "mixed"] | None:
    """The way changes were tied to deployments in the services of the cut."""
    hows = {cut.facts.attribution[s] for s in cut.facts.services if s in cut.facts.attribution}
    if not hows:
        return None
    if len(hows) > 1:
        return "mixed"
    return "graph" if "graph" in hows else "time"


def share_within_24h(cut: Slice) -> Figure:
    """Share of the changes shipped in the window that were in production within 24 hours."""
    samples = lead_times(cut)
    k = int((samples["seconds"] <= 24 * 3600).sum())
    return proportion(
        cut,
        "share_within_24h",
        k,
        len(samples),
        attribution=attribution(cut),
        excluded=exclusions(cut),
    )


# --- instability --------------------------------------------------------------------------------


def proportion(cut: Slice, metric: str, k: int, n: int, **details: Any) -> Figure:
    """k of n with Wilson's interval; no value where n is 0."""
    return figure(
        cut,
        metric,
        k / n if n else None,
        k=k,
        n=n,
        interval=interval(intervals.wilson(k, n)),
        **details,
    )


def change_fail_rate(cut: Slice) -> Figure:
    """Distinct forward deployments with a confirmed failure, of forward deployments (rule F2).

    Confirmed: evidence A to C. Booked to the window of the deployment. Deployments that no
    incident source covers are left out where one covers others; where it covers none, k is a
    lower bound and there is neither value nor interval.
    """
    return _fail_rate(cut, "change_fail_rate", CONFIRMED)


def change_fail_rate_with_suspected(cut: Slice) -> Figure:
    """Change fail rate with suspected failures (evidence D) counted too (rule F3).

    Beside it the share of working hours that lie within four hours of a deployment, which is how
    often time alone would suspect one.
    """
    chance = suspected_by_chance(cut)
    beside = {} if chance is None else {"suspected_by_chance": chance}
    return _fail_rate(cut, "change_fail_rate_with_suspected", (*CONFIRMED, "D"), beside)


def _fail_rate(
    cut: Slice, metric: str, grades: Sequence[str], beside: Mapping[str, float] | None = None
) -> Figure:
    found, forward = cut.failures, cut.forward
    failed = found.where(is_one_of(found["grade"], grades))
    failed_forward = failed.where(is_one_of(failed["kind"], ("forward",)))
    also = {**(beside or {}), "failed_not_forward": len(failed) - len(failed_forward)}
    return _of_sourced(cut, metric, failed_forward, forward, beside=also)


def _of_sourced(
    cut: Slice, metric: str, found: Table, of: Table, *, beside: Mapping[str, float]
) -> Figure:
    """The share of deployments, of those that an incident source covers (rule G2).

    Where it covers none, what was found is a lower bound: there is neither value nor interval.
    """
    n = int(of["sourced"].sum())
    if not n:
        note = NO_INCIDENT_SOURCE if len(of) else None
        return figure(cut, metric, None, k=len(found), n=len(of), note=note, beside=beside)
    left_out = len(of) - n
    excluded = {"no_incident_source": left_out} if left_out else {}
    k = int(found["sourced"].sum())
    return proportion(cut, metric, k, n, beside=beside, excluded=excluded)


def suspected_by_chance(cut: Slice) -> float | None:
    """Share of working half-hours (Monday to Friday, 9 to 17) soon after a deployment began.

    The mean over the services of the cut that deployed in the window; None if none did.
    """
    hours = _working_hours(cut.window)
    services = list(dict.fromkeys(cut.forward["service_id"].tolist()))
    if not services or not len(hours):
        return None
    near = _near(hours, cut.facts.began, cut.facts.suspected_within)
    return float(np.mean([near.get(service, 0.0) for service in services]))


def _near(moments: npt.NDArray[np.int64], began: Table, within: Micros) -> dict[int, float]:
    """The share of moments at most so long after a deployment of a service began, by its id."""
    start, end = np.searchsorted(began["began_at"], (moments[0] - within, moments[-1] + 1))
    here = began.between(start, end)
    ids, service = np.unique(here["service_id"], return_inverse=True)
    shape = len(ids), len(moments) + 1
    steps = np.zeros(shape, dtype=np.intp)  # how many more deployments a moment has near
    np.add.at(steps, (service, np.searchsorted(moments, here["began_at"])), 1)
    after = np.searchsorted(moments, here["began_at"] + within, side="right")
    np.add.at(steps, (service, after), -1)
    shares = (steps.cumsum(axis=1)[:, :-1] > 0).mean(axis=1)
    return dict(zip(ids.tolist(), shares.tolist(), strict=True))


@lru_cache(maxsize=128)
def _working_hours(window: Window) -> npt.NDArray[np.int64]:
    dates = [window.start + timedelta(days=day) for day in range(window.days)]
    begins = [midnight(date, window.zone) for date in dates if date.weekday() < 5]
    return np.add.outer(begins, np.arange(18, 34) * (HOUR // 2)).ravel().astype(np.int64)


def deployment_rework_rate(cut: Slice) -> Figure:
    """Unplanned deployments of all that count in frequency (rule F4).

    Unplanned: rollbacks, deployments that ship the fix of an incident or a confirmed revert,
    hotfixes. Stale ones and redeploys never are. Where no incident source covers them it is as
    with the fail rate: most fixes would not be known as such.
    """
    unplanned = cut.deployed.where(~is_one_of(cut.deployed["unplanned"], (None,)))
    reasons = dict(_occurrences(unplanned["unplanned"]))
    return _of_sourced(cut, "deployment_rework_rate", unplanned, cut.deployed, beside=reasons)


def failed_deployment_recovery_time(cut: Slice) -> Figure:
    """Kaplan-Meier median of restoration less start, for confirmed failures (rule F5).

    Booked to the window of the failed deployment; open ones are right-censored at data-as-of.
    """
    failed = cut.finished_in(cut.facts.confirmed)
    if not cut.with_incidents and not len(failed):
        return figure(cut, "failed_deployment_recovery_time", None, n=0, note=NO_INCIDENT_SOURCE)
    timed = failed.where(failed["timed"])
    return survival(
        cut,
        "failed_deployment_recovery_time",
        timed,
        note=None if cut.with_incidents else NO_INCIDENT_SOURCE,
        excluded={"no_restored_at": len(failed) - len(timed)} if len(failed) > len(timed) else {},
    )


def survival(
    cut: Slice,
    metric: str,
    found: Table,
    *,
    excluded: Mapping[str, int] | None = None,
    note: str | None = None,
) -> Figure:
    """A Kaplan-Meier median of spells; negative ones are left out."""
    left_out = dict(excluded or {})
    seconds, observed = found["seconds"], found["over"]
    negative = seconds < 0
    if negative.any():
        left_out["negative"] = int(negative.sum())
        seconds, observed = seconds[~negative], observed[~negative]
    open_ = int((~observed).sum())
    few = len(seconds) < FEW
    half = None if few else intervals.survival_median(seconds, observed)
    beside: dict[str, float] = {"open": open_}
    if len(seconds):
        beside["longest"] = float(seconds.max())
    return figure(
        cut,
        metric,
        None if half is None else half.median,
        n=len(seconds),
        interval=None if half is None else interval(half.interval),
        values=tuple(sorted(seconds.tolist())) if few else (),
        excluded=left_out,
        beside=beside,
        note=note,
    )
