"""Changes with agents beside those without (rule S6). Pure arithmetic.

What is found is observational: people choose what they give to agents.
"""

import math
from typing import Final

from vpemetrics.metrics import dora, intervals
from vpemetrics.metrics.agents import by_agents, written
from vpemetrics.metrics.comparisons import (
    LEVEL,
    Samples,
    difference_of_proportions,
    ratio_of_medians,
)
from vpemetrics.metrics.facts import Slice
from vpemetrics.metrics.figures import Figure, IntervalRef, Model, Unit, WindowRef
from vpemetrics.metrics.flow import AUTHORS_NEEDED, WITHHELD, human_authors
from vpemetrics.metrics.reviews import with_reviews
from vpemetrics.metrics.table import Table, is_one_of
from vpemetrics.window import DAY, MISSING, weeks_before

WEEKS: Final = 26
UNDONE_WITHIN: Final = 28 * DAY
UNDONE: Final = "undone_within_28_days"
_MOST: Final = 0.4
_POWER: Final = 0.8
GROUPS: Final = ("with agents", "without")


class GroupComparison(Model):
    """A metric of changes with agents and without, and what lies between the two.

    `difference` is the proportion with agents less the one without, or the median with them
    divided by the one without. `needed`: so many changes in each group would show a doubling.
    """

    metric: str
    assisted: Figure
    people: Figure
    difference: IntervalRef | None = None
    needed: int | None = None


class AgentComparison(Model):
    """Changes that an agent wrote or a tool is named in, beside unmarked ones of people."""

    window: WindowRef
    rows: tuple[GroupComparison, ...] = ()
    note: str | None = None


def compare_groups(cut: Slice) -> AgentComparison | None:
    """The comparison over the 26 weeks up to the end of a week; over other windows as they are.

    None without a change with agents. Each group needs three human authors.
    """
    if cut.window.period == "week":
        window = weeks_before(cut.window, WEEKS)
        cut = Slice(facts=cut.facts, scope=cut.scope, window=window)
    changes = written(cut)
    groups = _split(changes)
    reference = dora.reference(cut.window)
    if not len(groups[0]):
        return None
    if min(map(human_authors, groups)) < AUTHORS_NEEDED:
        return AgentComparison(window=reference, note=f"{WITHHELD} in one of the two groups")
    rows = (
        _lead_times(cut),
        _lines(cut, groups),
        _shares(cut, "shipped_without_review", _split(with_reviews(cut)), "unreviewed"),
        _shares(cut, UNDONE, _split(_old_enough(cut, changes)), "undone"),
    )
    known = (row for row in rows if row.assisted.n or row.people.n)
    return AgentComparison(window=reference, rows=tuple(known))


def _split(changes: Table) -> tuple[Table, Table]:
    """Changes that an agent wrote or that name a tool, and unmarked ones of people."""
    assisted = by_agents(changes) | changes["marked"]
    people = is_one_of(changes["author_kind"], ("person",))
    return changes.where(assisted), changes.where(~assisted & people)


def _old_enough(cut: Slice, changes: Table) -> Table:
    """Changes shipped at least 28 days ago, and whether they were `undone` within that time."""
    finished, undone = changes["finished_at"], changes["undone_at"]
    within = (undone != MISSING) & (undone >= finished) & (undone < finished + UNDONE_WITHIN)
    old = finished + UNDONE_WITHIN <= cut.facts.data_as_of
    return changes.with_columns(undone=within).where(old)


def _lead_times(cut: Slice) -> GroupComparison:
    groups = _split(dora.lead_times(cut))
    samples = [
        Samples(seconds=group["seconds"], deployments=group["deployed_id"]) for group in groups
    ]
    figures = [
        _figure(
            cut,
            "change_lead_time",
            Unit.SECONDS,
            name,
            intervals.median(one.seconds),
            len(one.seconds),
        )
        for name, one in zip(GROUPS, samples, strict=True)
    ]
    comparable = all(one.comparable for one in samples)
    ratio = ratio_of_medians(samples[1], samples[0]) if comparable else None
    return GroupComparison(
        metric="change_lead_time",
        assisted=figures[0],
        people=figures[1],
        difference=dora.interval(ratio),
    )


def _lines(cut: Slice, groups: tuple[Table, Table]) -> GroupComparison:
    known = [group["lines"][group["lines"] != MISSING] for group in groups]
    figures = [
        _figure(cut, "changed_lines", Unit.LINES, name, intervals.median(lines), len(lines))
        for name, lines in zip(GROUPS, known, strict=True)
    ]
    return GroupComparison(metric="changed_lines", assisted=figures[0], people=figures[1])


def _shares(cut: Slice, metric: str, groups: tuple[Table, Table], column: str) -> GroupComparison:
    found = [
        (~group["reviewed"] if column == "unreviewed" else group["undone"]) for group in groups
    ]
    (k, n), (others, of) = ((int(each.sum()), len(each)) for each in found)
    figures = [
        _figure(cut, metric, Unit.PROPORTION, name, count / total if total else None, total, count)
        for name, (count, total) in zip(GROUPS, ((k, n), (others, of)), strict=True)
    ]
    between = difference_of_proportions((others, of), (k, n))
    return GroupComparison(
        metric=metric,
        assisted=figures[0],
        people=figures[1],
        difference=dora.interval(between),
        needed=needed_for_doubling(others / of) if between and _holds_zero(between) else None,
    )


def _holds_zero(found: intervals.Interval) -> bool:
    return (found.low is None or found.low <= 0) and (found.high is None or found.high >= 0)


def needed_for_doubling(rate: float) -> int | None:
    """The changes in each group that show a doubling of a rate; None at 0 or above 40 %.

    Two-sided with an error of 1 %, power 80 %; two independent proportions by the normal
    approximation (Fleiss, Levin and Paik 2003, 4.14).
    """
    if not 0 < rate <= _MOST:
        return None
    twice, mean = 2 * rate, 1.5 * rate
    z = intervals.normal_quantile((1 + LEVEL) / 2)
    alike = z * math.sqrt(2 * mean * (1 - mean))
    apart = intervals.normal_quantile(_POWER) * math.sqrt(rate * (1 - rate) + twice * (1 - twice))
    return math.ceil((alike + apart) ** 2 / rate**2)


def _figure(
    cut: Slice,
    metric: str,
    unit: Unit,
    group: str,
    value: float | None,
    n: int,
    k: int | None = None,
) -> Figure:
    return Figure(
        metric=metric,
        definition_id=f"{metric}/1",
        scope=cut.scope,
        window=dora.reference(cut.window),
        value=value,
        unit=unit,
        n=n,
        k=k,
        note=None if metric != UNDONE or cut.incidents_collected else dora.NO_INCIDENT_SOURCE,
        group=group,
    )
