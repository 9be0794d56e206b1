"""Reviews: what was shipped without one, and how long changes wait for one (rules S3, S4)."""

from typing import Final

import numpy as np

from vpemetrics.metrics import dora
from vpemetrics.metrics.agents import written
from vpemetrics.metrics.facts import Slice, seconds_between
from vpemetrics.metrics.figures import Figure
from vpemetrics.metrics.flow import AUTHORS_NEEDED, WITHHELD, human_authors
from vpemetrics.metrics.table import Table, first_of_each, is_one_of
from vpemetrics.records import CoverageKind
from vpemetrics.window import DAY, MISSING

READY_WEEKS: Final = 13


def shipped_without_review(cut: Slice) -> Figure:
    """Changes of people and agents that nobody else reviewed before the merge (rule S3).

    Of those shipped in the window where reviews are collected; a direct commit has none. Where
    they are nowhere collected it is not known.
    """
    changes = written(cut)
    if human_authors(changes) < AUTHORS_NEEDED:
        return dora.figure(cut, "shipped_without_review", None, note=WITHHELD)
    known = with_reviews(cut)
    if not len(known):
        note = dora.NO_REVIEW_SOURCE if len(changes) else None
        return dora.figure(cut, "shipped_without_review", None, note=note)
    left_out = len(changes) - len(known)
    return dora.proportion(
        cut,
        "shipped_without_review",
        int((~known["reviewed"]).sum()),
        len(known),
        excluded={"no_review_source": left_out} if left_out else {},
    )


def with_reviews(cut: Slice) -> Table:
    """Changes whose reviews were collected, with whether they were `reviewed` before the merge."""
    changes = written(cut)
    merged, review = changes["merged_at"], changes["first_review_at"]
    moments = np.where(merged == MISSING, changes["finished_at"], merged)
    covered = cut.facts.covered_rows(changes, CoverageKind.REVIEWS, moments)
    return changes.with_columns(reviewed=(review != MISSING) & (review <= merged)).where(covered)


def first_review_wait(cut: Slice) -> Figure:
    """Kaplan-Meier median of the wait of pull requests for their first review (rule S4).

    Of those by people and agents made ready in the 13 weeks up to the end of the window; one that
    is still open, or ended without a review, is censored.
    """
    if human_authors(written(cut)) < AUTHORS_NEEDED:
        return dora.figure(cut, "first_review_wait", None, note=WITHHELD)
    if not _collected(cut):
        return dora.figure(cut, "first_review_wait", None, note=dora.NO_REVIEW_SOURCE)
    return dora.survival(cut, "first_review_wait", review_waits(cut))


def review_waits(cut: Slice) -> Table:
    """Pull requests made ready in the 13 weeks up to the window's end, with the `seconds` they
    waited for a review, and whether that is `over`."""
    found = proposed(cut)
    ready, review, until = (found[at] for at in ("ready_at", "first_review_at", "ended_at"))
    end = cut.stretch[1]
    over = (review != MISSING) & (review <= until)
    waited = seconds_between(ready, np.where(over, np.maximum(review, ready), until))
    made = (ready >= end - READY_WEEKS * 7 * DAY) & (ready < end)
    return found.with_columns(seconds=waited, over=over).where(made & (until >= ready))


def changes_waiting(cut: Slice) -> Figure:
    """Pull requests of people and agents that are open and ready now (rule S4).

    k: those that nobody has reviewed yet.
    """
    if not _collected(cut):
        return dora.figure(cut, "changes_waiting", None, note=dora.NO_REVIEW_SOURCE)
    found = waiting(cut)
    k = int((found["first_review_at"] == MISSING).sum())
    return dora.figure(cut, "changes_waiting", len(found), k=k, n=len(found))


def waiting(cut: Slice) -> Table:
    """Pull requests that are open and ready, the longest first."""
    found = proposed(cut)
    is_open = (found["merged_at"] == MISSING) & (found["closed_at"] == MISSING)
    return found.where(is_open).sort_by("ready_at")


def proposed(cut: Slice) -> Table:
    """Pull requests of people and agents where reviews are collected, each once.

    `ended_at` is when it was merged or closed; of an open one, data-as-of.
    """
    facts = cut.facts
    found = facts.proposed.where(
        ~is_one_of(facts.proposed["author_kind"], ("automation",))
        & facts.covered_rows(facts.proposed, CoverageKind.REVIEWS, facts.proposed["ready_at"])
    )
    found = found.at(first_of_each(found["item"]))
    merged, closed = found["merged_at"], found["closed_at"]
    unmerged = np.where(closed != MISSING, closed, facts.data_as_of)
    return found.with_columns(ended_at=np.where(merged != MISSING, merged, unmerged))


def _collected(cut: Slice) -> bool:
    kind = CoverageKind.REVIEWS
    return any(cut.facts.covered(service, kind, cut.stretch) for service in cut.facts.services)
