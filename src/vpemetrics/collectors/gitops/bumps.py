"""Versions wanted by commits, and which of them were replaced too soon to be deployed.

Pure: rule D1 for sources that record intent only.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import groupby, pairwise
from operator import attrgetter
from typing import NamedTuple

Key = tuple[str, str]
"""A service and an environment."""


class Bump(NamedTuple):
    """A commit that wants a version of a service in an environment.

    `at` is when it came to the default branch, in seconds since 1970.
    """

    sha: str
    service: str
    environment: str
    version: str
    at: int
    is_bot: bool | None

    @property
    def key(self) -> Key:
        """The place where it is wanted."""
        return self.service, self.environment


def superseded_bumps(bumps: Sequence[Bump], within: timedelta) -> Iterator[Bump]:
    """Those of one service and environment, oldest first, whose version was replaced too soon.

    A version that is wanted again while it is wanted was wanted from the first time on.
    """
    for wanted, following in pairwise(_stretches(bumps)):
        if following[0].at - wanted[0].at < within.total_seconds():
            yield from wanted


def open_bumps(bumps: Sequence[Bump], within: timedelta) -> list[Bump]:
    """Those of one service and environment, oldest first, that the next one may supersede.

    At least the first that wanted what is wanted now.
    """
    last = _stretches(bumps)[-1]
    return [bump for bump in last if bump.at - last[0].at < within.total_seconds()]


def by_key(bumps: Iterable[Bump]) -> dict[Key, list[Bump]]:
    """The bumps of each service and environment, in the order given."""
    found: dict[Key, list[Bump]] = {}
    for bump in bumps:
        found.setdefault(bump.key, []).append(bump)
    return found


def _stretches(bumps: Sequence[Bump]) -> list[list[Bump]]:
    """The bumps in runs of one version."""
    return [list(run) for _, run in groupby(bumps, attrgetter("version"))]
