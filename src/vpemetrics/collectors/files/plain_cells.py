"""Columns of CSV cells that are written the usual way, a whole column at a time.

Every function here gives exactly what the validators of the column give, or None where they have
to be asked: because a cell is written in another way that they know, or because one is wrong.
"""

from collections.abc import Callable, Mapping, Sequence, Set
from enum import StrEnum
from functools import lru_cache, partial
from itertools import chain
from typing import Any, Final

import numpy as np

from vpemetrics.collectors.files.fields import Field
from vpemetrics.collectors.files.validators import read_list
from vpemetrics.record_columns import Instants
from vpemetrics.window import MISSING

Cells = Sequence[str]
Parse = Callable[[Cells], Sequence[Any] | None]

_SHA: Final = 40
_DIGITS: Final = 18
_TRUTH: Final[Mapping[str, bool | None]] = {"true": True, "false": False, "1": True, "0": False}

_INSTANT: Final = len("2026-09-01T12:00:00Z")
_MARKS: Final = (4, 7, 10, 13, 16, 19)
_FIGURES: Final = tuple(at for at in range(_INSTANT) if at not in _MARKS)
_DAYS: Final = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_FEBRUARY, _DECEMBER = 2, 12


def parse(field: Field, cells: Cells) -> Sequence[Any] | None:
    """The values of a column's cells, none of them moments; None if unusual."""
    return _parser(field)(cells)


@lru_cache
def _parser(field: Field) -> Parse:
    if field.type is tuple:
        return partial(parse_sha_lists if field.holds_shas else parse_lists, default=field.default)
    if field.type is bool:
        return partial(parse_truths, default=field.default)
    if field.type is int:
        return parse_numbers
    if issubclass(field.type, StrEnum):
        return partial(parse_choices, {"": None} | {word.value: word for word in field.type})
    if field.holds_shas:
        # The one that people write: the first digits are enough.
        lengths = range(7, 65) if field.name == "cause_sha" else (_SHA,)
        return partial(parse_shas, lengths=frozenset(lengths))
    return parse_texts


def parse_texts(cells: Cells) -> Sequence[Any]:
    """Texts as they are."""
    return cells if all(cells) else [cell or None for cell in cells]


def parse_shas(cells: Cells, *, lengths: Set[int]) -> Sequence[Any] | None:
    """Commit ids of so many digits in lower case."""
    if set(map(len, cells)) - {0} <= lengths and _is_hexadecimal("".join(cells)):
        return parse_texts(cells)
    return None


def _is_hexadecimal(text: str) -> bool:
    """Tell whether a text holds nothing but hexadecimal digits in lower case."""
    try:
        data = bytes.fromhex(text)  # which passes over spaces
    except ValueError:
        return False
    return 2 * len(data) == len(text) and text == text.lower()


def parse_sha_lists(cells: Cells, *, default: tuple[str, ...] | None) -> Sequence[Any] | None:
    """Lists of such commit ids, with blanks between them."""
    lists = [
        default if not cell else (cell,) if len(cell) == _SHA else tuple(cell.split()) or default
        for cell in cells
    ]
    shas = list(chain.from_iterable(filter(None, lists)))
    if set(map(len, shas)) <= {_SHA} and _is_hexadecimal("".join(shas)):
        return lists
    return None


def parse_lists(cells: Cells, *, default: tuple[str, ...] | None) -> Sequence[Any] | None:
    """Lists of texts."""
    try:
        return [read_list(cell) if cell else default for cell in cells]
    except ValueError:
        return None


def parse_truths(cells: Cells, *, default: bool | None) -> Sequence[Any] | None:
    """Truths."""
    try:
        return list(map({**_TRUTH, "": default}.__getitem__, cells))
    except KeyError:
        return None


def parse_choices(members: Mapping[str, StrEnum | None], cells: Cells) -> Sequence[Any] | None:
    """One of a few words each."""
    try:
        return list(map(members.__getitem__, cells))
    except KeyError:
        return None


def parse_numbers(cells: Cells) -> Sequence[Any] | None:
    """Whole numbers that are not negative."""
    digits = "".join(cells)
    if digits and not (digits.isascii() and digits.isdigit()):
        return None
    if max(map(len, cells), default=0) > _DIGITS:
        return None
    return [int(cell) if cell else None for cell in cells]


def parse_instants(cells: Cells) -> Instants | None:
    """Moments in UTC, to the second, with a Z."""
    lengths = np.fromiter(map(len, cells), dtype=np.int64, count=len(cells))
    known, text = lengths > 0, "".join(cells)
    if (lengths[known] != _INSTANT).any() or not text.isascii():
        return None
    found = _to_micros(np.frombuffer(text.encode("ascii"), dtype=np.uint8).reshape(-1, _INSTANT))
    if found is None:
        return None
    moments = np.full(len(cells), MISSING, dtype=np.int64)
    moments[known] = found
    return moments


def _to_micros(signs: Any) -> Instants | None:
    """The moments in rows of signs; None if one of them is none."""
    if not (signs[:, _MARKS] == np.frombuffer(b"--T::Z", dtype=np.uint8)).all():
        return None
    figures = signs[:, _FIGURES].T.astype(np.int64) - ord("0")
    if ((figures < 0) | (figures > 9)).any():
        return None
    year = figures[0] * 1000 + figures[1] * 100 + figures[2] * 10 + figures[3]
    month, day, hour, minute, second = figures[4::2] * 10 + figures[5::2]
    if ((year < 1) | (month < 1) | (month > _DECEMBER)).any():
        return None
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    last = _DAYS[month] + (leap & (month == _FEBRUARY))
    if ((day < 1) | (day > last) | (hour > 23) | (minute > 59) | (second > 59)).any():
        return None
    moments: Instants = (
        (_days(year, month, day) * 24 + hour) * 60 + minute
    ) * 60_000_000 + second * 1_000_000
    return moments


def _days(year: Any, month: Any, day: Any) -> Any:
    """Days since 1970 in the Gregorian calendar.

    https://howardhinnant.github.io/date_algorithms.html#days_from_civil
    """
    year = year - (month <= _FEBRUARY)
    era, of_era = year // 400, year % 400
    of_year = (153 * (month + np.where(month > _FEBRUARY, -3, 9)) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468
