"""Records of one kind as columns, for very many of them: a value each for millions is too dear.

A column holds what the field of a record holds; only moments are integers, all in one array.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from vpemetrics.records import AnyRecord, Sourced
from vpemetrics.window import CLOCK_DIFFERENCE, FIRST_YEAR, MISSING, known_instant, to_micros

_FIRST: Final = to_micros(datetime(FIRST_YEAR, 1, 1, tzinfo=UTC))

Instants = NDArray[np.int64]
"""Microseconds since 1970 in UTC; MISSING where a moment is unknown."""


@dataclass(frozen=True, kw_only=True)
class RecordColumns:
    """Records of one kind, each with its source: a column for every field, all of one length."""

    record: type[AnyRecord]
    sources: Sequence[str]
    values: Mapping[str, Sequence[Any]]
    moments: Mapping[str, Instants]

    def __len__(self) -> int:
        return len(self.sources)

    @classmethod
    def of(cls, record: type[AnyRecord], pairs: Sequence[Sourced]) -> Self:
        """The columns of records of one kind."""
        moments = instant_fields(record)
        columns = {
            field.name: [getattr(each, field.name) for _, each in pairs] for field in fields(record)
        }
        return cls(
            record=record,
            sources=[source for source, _ in pairs],
            values={name: column for name, column in columns.items() if name not in moments},
            moments={name: to_instants(columns[name]) for name in moments},
        )

    @classmethod
    def filled(
        cls,
        record: type[AnyRecord],
        source: str,
        values: Mapping[str, Sequence[Any]],
        moments: Mapping[str, Instants],
    ) -> Self:
        """The columns of records of one source; what no column tells is unknown of all of them."""
        count = len(next(iter(values.values())))
        unknown = [field for field in fields(record) if field.name not in {*values, *moments}]
        instants = instant_fields(record)
        return cls(
            record=record,
            sources=[source] * count,
            values={
                **values,
                **{
                    field.name: [field.default] * count
                    for field in unknown
                    if field.name not in instants
                },
            },
            moments={
                **moments,
                **{
                    field.name: np.full(count, MISSING, dtype=np.int64)
                    for field in unknown
                    if field.name in instants
                },
            },
        )

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """The records of several columns of one kind, one after the other."""
        first = parts[0]
        return replace(
            first,
            sources=list(chain.from_iterable(part.sources for part in parts)),
            values={
                name: list(chain.from_iterable(part.values[name] for part in parts))
                for name in first.values
            },
            moments={
                name: np.concatenate([part.moments[name] for part in parts])
                for name in first.moments
            },
        )

    def records(self) -> list[AnyRecord]:
        """The records.

        Each field is set in all records at once: a frozen record's own `__init__` takes thrice
        as long.
        """
        records = [self.record.__new__(self.record) for _ in range(len(self))]
        moments = {
            name: map(known_instant, column.tolist()) for name, column in self.moments.items()
        }
        for name, column in {**self.values, **moments}.items():
            deque(map(getattr(self.record, name).__set__, records, column), maxlen=0)
        return records

    def take(self, rows: Sequence[int]) -> Self:
        """The records in some places."""
        places = np.asarray(rows, dtype=np.int64)
        return replace(
            self,
            sources=[self.sources[row] for row in rows],
            values={name: [column[row] for row in rows] for name, column in self.values.items()},
            moments={name: column[places] for name, column in self.moments.items()},
        )


def instant_fields(record: type[AnyRecord]) -> frozenset[str]:
    """The fields of a kind of record that are moments."""
    return frozenset(
        field.name for field in fields(record) if field.type in (datetime, datetime | None)
    )


def are_no_times(moments: Instants, now: datetime | None) -> NDArray[np.bool_]:
    """Mark the moments at which nothing can have happened, as `why_no_time` says of one."""
    odd: NDArray[np.bool_] = (moments < _FIRST) & (moments != MISSING)
    if now is not None:
        odd |= moments > to_micros(now + CLOCK_DIFFERENCE)
    return odd


def to_instants(moments: Sequence[datetime | None]) -> Instants:
    """Moments as one array."""
    known = [MISSING if moment is None else to_micros(moment) for moment in moments]
    return np.array(known, dtype=np.int64)
