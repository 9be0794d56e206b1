"""The columns of what was derived, as they lie in blocks: rows of fixed length, one after another.

A block holds one part of a service's lineage in a period of thirteen weeks, in order of time, so
that a report reads the weeks it tells of however long the history is, and a new week changes one
block. Numbers are int64, MISSING where unknown; what is one of few words is a byte.
An `item` is a change under one integer: a pull request's id, or minus a direct commit's id.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from vpemetrics.lineage.rows import AUTHOR_KINDS, KINDS, UNPLANNED, Reason
from vpemetrics.window import DAY, Micros

At = TypeVar("At", int, NDArray[np.int64])

_PERIOD: Final = 13 * 7 * DAY
_THURSDAY: Final = 3 * DAY
"""The time from a Monday to the day on which 1970 began."""


class Part(StrEnum):
    """A part of a service's lineage."""

    DEPLOYED = "deployed"
    RECORDS = "records"
    """The records that each deployment is made of."""
    SHIPPED = "shipped"
    EARLY = "early"
    """Those shipped that were merged later, once more: by the moment of their merge."""
    WAITING = "waiting"
    EVIDENCE = "evidence"


@dataclass(frozen=True, kw_only=True)
class RowLayout:
    """The columns of a part: numbers, choices of few values, and at most one of texts.

    `by` is the number that says in which period a row lies; None where a part is read whole.
    """

    by: str | None
    numbers: tuple[str, ...]
    choices: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    text: str | None = None

    @cached_property
    def dtype(self) -> np.dtype[Any]:
        """A row as numpy has it, without gaps: numpy leaves anything in those."""
        numbers = [(name, "<i8") for name in self.numbers]
        return np.dtype([*numbers, *((name, "u1") for name in self.choices)])

    def codes(self, name: str, wanted: Iterable[str]) -> list[int]:
        """The bytes that stand for words."""
        return [self.choices[name].tolist().index(word) for word in wanted]


def period_of(at: At) -> At:
    """The number of the period that a moment lies in, or of each that moments lie in."""
    return (at + _THURSDAY) // _PERIOD


def start_of(period: int) -> Micros:
    """The moment at which a period begins."""
    return period * _PERIOD - _THURSDAY


def _choices(*values: Any) -> NDArray[Any]:
    return np.array(values, dtype=object)


_FLAG: Final = np.array((False, True))
_REASONS: Final = _choices(
    *(None if reason is Reason.COUNTED else reason.name.lower() for reason in Reason)
)
_SHIPPED: Final = RowLayout(
    by="finished_at",
    numbers=(
        "deployed_id",
        "item",
        "finished_at",
        "start_at",
        "first_at",
        "ready_at",
        "first_review_at",
        "merged_at",
        "lines",
        "author",
        "undone_at",
    ),
    choices={
        "at_merge": _FLAG,
        "reason": _REASONS,
        "author_kind": _choices(*AUTHOR_KINDS),
        "marked": _FLAG,
    },
    text="more_starts",
)

LAYOUTS: Final[Mapping[Part, RowLayout]] = {
    # The id of a deployment is that of the record that made it complete, whatever else comes.
    Part.DEPLOYED: RowLayout(
        by="finished_at",
        numbers=("id", "started_at", "finished_at"),
        choices={
            "kind": _choices(*map(str, KINDS)),
            "unplanned": _choices(*UNPLANNED),
            "first": _FLAG,
            "rolled_back": _FLAG,
            "ships": _FLAG,
        },
    ),
    Part.RECORDS: RowLayout(by=None, numbers=("record_id", "deployed_id")),
    Part.SHIPPED: _SHIPPED,
    Part.EARLY: RowLayout(
        by="merged_at", numbers=_SHIPPED.numbers, choices=_SHIPPED.choices, text=_SHIPPED.text
    ),
    Part.WAITING: RowLayout(
        by="merged_at", numbers=("item", "merged_at"), choices={"reason": _REASONS}
    ),
    Part.EVIDENCE: RowLayout(
        by=None,
        numbers=(
            "deployed_id",
            "finished_at",
            "restored_by",
            "mended_at",
            "incident_id",
            "began_at",
            "noticed_at",
            "restored_at",
        ),
        choices={
            "grade": _choices(*"ABCDE"),
            "what": _choices(
                "rolled_back",
                "rollback",
                "rollback_undone",
                "revert",
                "revert_alone",
                "named",
                "fix",
                "time",
                "triage",
                "restored",
                "named_not_shipped",
                "unknown",
                "external",
                "rejected",
                "linked",
            ),
            "chosen": _FLAG,
        },
        text="detail",
    ),
}
"""The layout of each part. Whoever changes one changes the version of the schema."""
