"""Time by stage, batch size and incidents (rules S1, S2, F6 and F7). Pure functions."""

import functools
from typing import Final

import numpy as np

from vpemetrics.metrics import dora
from vpemetrics.metrics.facts import Slice, length
from vpemetrics.metrics.figures import Figure
from vpemetrics.metrics.table import Table, is_one_of, occurrences
from vpemetrics.window import DAY, MISSING

STAGES: Final = (
    "coding",
    "waiting_for_review",
    "review",
    "unreviewed",
    "waiting_to_deploy",
    "deploying",
)
AUTHORS_NEEDED: Final = 3
WITHHELD: Final = f"withheld: fewer than {AUTHORS_NEEDED} human authors"
FORGOTTEN: Final = 30 * DAY
NO_CHANGES: Final = ("imported_history", "release_commit")
"""The reasons that leave out what is no change at all."""
NONE_KNOWN: Final = "no change has all times known"


def stages(cut: Slice) -> Table:
    """Pull requests with all times known, with the seconds of each stage."""
    return cut.finished_in(cut.facts.staged)


def stage(cut: Slice, name: str) -> Figure:
    """The share of time of one stage: its sum divided by the sum of lead times (rule S1).

    Withheld for a scope with fewer than three human authors in the window (rule G3).
    """
    metric = f"stage_{name}"
    found = stages(cut)
    if not len(found):
        return dora.figure(cut, metric, None, n=0, note=NONE_KNOWN)
    if human_authors(cut.counted_changes) < AUTHORS_NEEDED:
        return dora.figure(cut, metric, None, n=None, note=WITHHELD)
    total = np.array([found[stage] for stage in STAGES]).sum()
    if not total:
        return dora.figure(cut, metric, None, n=len(found), note=NONE_KNOWN)
    beside = {"median": float(np.median(found[name]))}
    return dora.figure(cut, metric, found[name].sum() / total, n=len(found), beside=beside)


def human_authors(changes: Table) -> int:
    """The number of people who wrote some changes, as far as their authors are known."""
    people = changes.where(is_one_of(changes["author_kind"], ("person",)))
    # A pull request's may be a login and a commit's an address, of one person: so no sum of them.
    pulls = people["item"] > 0
    several = (people["author"][those].tolist() for those in (pulls, ~pulls))
    return max(len({*authors} - {MISSING}) for authors in several)


stage_coding = functools.partial(stage, name="coding")
stage_waiting_for_review = functools.partial(stage, name="waiting_for_review")
stage_review = functools.partial(stage, name="review")
stage_unreviewed = functools.partial(stage, name="unreviewed")
stage_waiting_to_deploy = functools.partial(stage, name="waiting_to_deploy")
stage_deploying = functools.partial(stage, name="deploying")


def batch_size(cut: Slice) -> Figure:
    """Median number of changes per forward deployment whose changes are known (rule S2).

    Beside it the median by people and agents only, and the median of changed lines per change.
    """
    found, lines = batches(cut), _shipped_changes(cut)["lines"]
    beside: dict[str, float] = {}
    if len(found):
        beside["human"] = float(np.median(found["people"]))
    if (known := lines != MISSING).any():
        beside["lines"] = float(np.median(lines[known]))
    value = float(np.median(found["changes"])) if len(found) else None
    return dora.figure(cut, "batch_size", value, n=len(found), beside=beside)


def batches(cut: Slice) -> Table:
    """Forward deployments whose changes are known, with how many `changes`, and how many of
    these are by `people` and agents."""
    carried = _shipped_changes(cut)
    ships = cut.forward.where(cut.forward["ships"] & (len(carried) > 0 or cut.changes_collected))
    people = carried.where(~is_one_of(carried["author_kind"], ("automation",)))
    return ships.with_columns(
        changes=occurrences(ships["id"], carried["deployed_id"]),
        people=occurrences(ships["id"], people["deployed_id"]),
    )


def _shipped_changes(cut: Slice) -> Table:
    """The changes that deployments of the window brought; a release's own is none of them."""
    shipped = cut.finished_in(cut.facts.shipped)
    return shipped.where(~is_one_of(shipped["reason"], NO_CHANGES))


def incident_restore_time(cut: Slice) -> Figure:
    """Kaplan-Meier median from start to restoration of all incidents that began in the window."""
    began = cut.within(cut.facts.incidents, "began_at")
    note = None if cut.incidents_collected else dora.NO_INCIDENT_SOURCE
    return dora.survival(
        cut,
        "incident_restore_time",
        cut.facts.spells(began, "began_at"),
        note=note,
    )


def customers_affected_time(cut: Slice) -> Figure:
    """Length of the union of customer-affecting incidents, clipped to window and data-as-of.

    One open for thirty days without an update is counted beside, not summed (rule F7).
    """
    if not cut.incidents_collected:
        return dora.figure(cut, "customers_affected_time", None, note=dora.NO_INCIDENT_SOURCE)
    found = outages(cut)
    summed = found.where(~found["forgotten"])
    left_out = {
        "negative": len(ended_before_start(cut)),
        "open_without_update": len(found) - len(summed),
    }
    return dora.figure(
        cut,
        "customers_affected_time",
        length(list(zip(summed["start"].tolist(), summed["end"].tolist(), strict=True))),
        n=len(summed),
        excluded={reason: count for reason, count in left_out.items() if count},
    )


def ended_before_start(cut: Slice) -> Table:
    """Customer-affecting incidents that began in the window, and ended before that."""
    began = cut.within(cut.facts.incidents, "began_at")
    restored = began["restored_at"]
    return began.where(began["customers"] & (restored != MISSING) & (restored < began["began_at"]))


def outages(cut: Slice) -> Table:
    """Customer-affecting incidents that meet the window, with `start` and `end` clipped to it.

    `forgotten`: open for thirty days without an update.
    """
    until = cut.facts.data_as_of
    start, end = cut.stretch
    incidents = cut.facts.incidents
    affecting = incidents.where(incidents["customers"] & (incidents["began_at"] != MISSING))
    began, restored = affecting["began_at"], affecting["restored_at"]
    is_open = restored == MISSING
    ends = np.where(is_open, until, restored)
    quiet = until - np.maximum(affecting["updated_at"], began)
    inside = (began < min(end, until)) & (ends > start) & (ends >= began)
    return affecting.with_columns(
        start=np.maximum(began, start),
        end=np.minimum(ends, min(end, until)),
        forgotten=is_open & (quiet > FORGOTTEN),
    ).where(inside)
