"""Where the time goes, batch size and incidents (METRICS rules 18, 22 and 26). Pure functions."""

import functools
from typing import Final

import numpy as np
import pandas as pd

from vpemetrics.metrics import dora
from vpemetrics.metrics.facts import Cut, length
from vpemetrics.metrics.figures import Figure
from vpemetrics.window import DAY, MISSING, SECOND

STAGES: Final = (
    "coding",
    "waiting_for_review",
    "review",
    "unreviewed",
    "waiting_to_deploy",
    "deploying",
)
AUTHORS_NEEDED: Final = 3
FORGOTTEN: Final = 30 * DAY


def stages(cut: Cut) -> pd.DataFrame:
    """Seconds per stage of each pull request with all times known, boundaries made monotone.

    Without a review, ready to merge is the stage `unreviewed`; the review stages are then 0 long.
    Nothing lasts beyond the finish, so that the stages add up to the time to production.
    """
    counted = cut.changes[cut.changes.reason.isna() & (cut.changes["item"] > 0)]
    needed = ["first_at", "ready_at", "merged_at", "started_at", "finished_at"]
    known = counted[(counted[needed] != MISSING).all(axis=1)]
    reviewed = (known.first_review_at != MISSING).to_numpy()
    review = np.where(reviewed, known.first_review_at, known.ready_at)
    bounds = np.maximum.accumulate(
        np.column_stack(
            [
                known.first_at,
                known.ready_at,
                review,
                known.merged_at,
                known.started_at,
                known.finished_at,
            ]
        ).astype(np.int64),
        axis=1,
    )
    spans = np.diff(np.minimum(bounds, known.finished_at.to_numpy()[:, None]), axis=1) / SECOND
    merge = spans[:, 1] + spans[:, 2]
    return pd.DataFrame(
        {
            "coding": spans[:, 0],
            "waiting_for_review": np.where(reviewed, spans[:, 1], 0.0),
            "review": np.where(reviewed, spans[:, 2], 0.0),
            "unreviewed": np.where(reviewed, 0.0, merge),
            "waiting_to_deploy": spans[:, 3],
            "deploying": spans[:, 4],
        },
        index=known.index,
    )


def stage(cut: Cut, name: str) -> Figure:
    """The share of time of one stage: its sum divided by the sum of lead times (rule 18).

    Withheld for a scope with fewer than three human authors in the window (rule 5).
    """
    metric = f"stage_{name}"
    authors = cut.changes[cut.changes.reason.isna()].author.dropna().nunique()
    if authors < AUTHORS_NEEDED:
        note = f"withheld: fewer than {AUTHORS_NEEDED} human authors"
        return dora.figure(cut, metric, None, n=None, note=note)
    found = stages(cut)
    total = float(found.to_numpy().sum())
    if not total:
        return dora.figure(cut, metric, None, n=len(found), note="no change has all times known")
    beside = {"median": float(found[name].median())}
    return dora.figure(cut, metric, found[name].sum() / total, n=len(found), beside=beside)


stage_coding = functools.partial(stage, name="coding")
stage_waiting_for_review = functools.partial(stage, name="waiting_for_review")
stage_review = functools.partial(stage, name="review")
stage_unreviewed = functools.partial(stage, name="unreviewed")
stage_waiting_to_deploy = functools.partial(stage, name="waiting_to_deploy")
stage_deploying = functools.partial(stage, name="deploying")


def batch_size(cut: Cut) -> Figure:
    """Median number of changes per forward deployment whose changes are known (rule 22).

    Beside it the median by people only, and the median of changed lines per change.
    """
    carried, found = _carried(cut), batches(cut)
    beside: dict[str, float] = {}
    if len(found):
        beside["human"] = float(found.people.median())
    lines = carried.lines[carried.lines != MISSING]
    if len(lines):
        beside["lines"] = float(lines.median())
    value = float(found.changes.median()) if len(found) else None
    return dora.figure(cut, "batch_size", value, n=len(found), beside=beside)


def batches(cut: Cut) -> pd.DataFrame:
    """Forward deployments whose changes are known, with how many `changes`, by `people` too."""
    carried, ships = _carried(cut), cut.forward[cut.forward.ships]
    people = carried[carried.reason != "bot"].deployed_id.value_counts()
    return ships.assign(
        changes=ships.id.map(carried.deployed_id.value_counts()).fillna(0),
        people=ships.id.map(people).fillna(0),
    )


def _carried(cut: Cut) -> pd.DataFrame:
    return cut.finished_in(cut.facts.shipped)


def incident_restore_time(cut: Cut) -> Figure:
    """Kaplan-Meier median from start to restoration of all incidents that began in the window."""
    began = cut.within(cut.facts.incidents, "began_at")
    note = None if cut.incidents_collected else dora.NO_INCIDENT_SOURCE
    return dora.survival(
        cut,
        "incident_restore_time",
        cut.facts.spells(began, "began_at"),
        note=note,
    )


def customers_affected_time(cut: Cut) -> Figure:
    """Length of the union of customer-affecting incidents, clipped to window and data-as-of.

    One open for thirty days without an update is counted beside, not summed (rule 26).
    """
    if not cut.incidents_collected:
        return dora.figure(cut, "customers_affected_time", None, note=dora.NO_INCIDENT_SOURCE)
    found = outages(cut)
    summed = found[~found.forgotten]
    forgotten = int(found.forgotten.sum())
    return dora.figure(
        cut,
        "customers_affected_time",
        length(list(zip(summed.start, summed.end, strict=True))),
        n=len(summed),
        excluded={"open_without_update": forgotten} if forgotten else {},
    )


def outages(cut: Cut) -> pd.DataFrame:
    """Customer-affecting incidents that meet the window, with `start` and `end` clipped to it.

    `forgotten`: open for thirty days without an update.
    """
    until = cut.facts.data_as_of
    start, end = cut.stretch
    affecting = cut.facts.incidents[
        cut.facts.incidents.customers & (cut.facts.incidents.began_at != MISSING)
    ]
    is_open = affecting.restored_at == MISSING
    touched = affecting[["updated_at", "began_at"]].max(axis=1)
    forgotten = is_open & (until - touched > FORGOTTEN)
    ends = affecting.restored_at.where(~is_open, until)
    inside = (affecting.began_at < min(end, until)) & (ends > start) & (ends >= affecting.began_at)
    return affecting.assign(
        start=affecting.began_at.clip(lower=start),
        end=ends.clip(upper=min(end, until)),
        forgotten=forgotten,
    )[inside]
