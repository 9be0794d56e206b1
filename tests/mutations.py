"""Answers that are no longer as they were documented: one or a few things in them are odd."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from random import Random
from typing import Any, Final

Path = tuple[str | int, ...]

ODD: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 1.5, 10**30, float("inf"), "", "x", "2,500+", "x" * 5000, "\ud800",
    "a\0b\x1b[31m", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", [], {}, [[]], [None],
    [1, "x"], {"x": 1}, [{"x": 1}], {"nodes": 1}, {"nodes": [7]}, {"nodes": [{}]}, {"login": []},
)  # fmt: skip


def mutated(value: Any, random: Random) -> Any:
    """A value of JSON in which one thing, wherever it is, was left out or made odd."""
    found = list(_paths(value))
    if not found:
        return random.choice(ODD)
    value = deepcopy(value)
    *way, last = random.choice(found)
    holder = value
    for step in way:
        holder = holder[step]
    random.choice(_CHANGES)(holder, last, random)
    return value


def _paths(value: Any, path: Path = ()) -> Iterator[Path]:
    """The ways to all that is within a value."""
    steps: Any = ()
    if isinstance(value, dict):
        steps = value.items()
    elif isinstance(value, list):
        steps = enumerate(value)
    for step, inner in steps:
        yield (*path, step)
        yield from _paths(inner, (*path, step))


def _leave_out(holder: Any, step: Any, _random: Random) -> None:
    del holder[step]


def _make_odd(holder: Any, step: Any, random: Random) -> None:
    holder[step] = deepcopy(random.choice(ODD))


def _nest(holder: Any, step: Any, random: Random) -> None:
    for _ in range(random.choice((1, 2, 60))):
        holder[step] = random.choice(([holder[step]], {"nodes": holder[step]}))


def _swap(holder: Any, step: Any, random: Random) -> None:
    others = list(holder) if isinstance(holder, dict) else range(len(holder))
    other = random.choice(list(others))
    holder[step], holder[other] = holder[other], holder[step]


_CHANGES: Final[tuple[Callable[[Any, Any, Random], None], ...]] = (
    _leave_out,
    _make_odd,
    _make_odd,
    _nest,
    _swap,
)
