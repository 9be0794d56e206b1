"""The one place where limits are waited for: a gate that every request of a token passes."""

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from vpemetrics.collectors.github.limits import Limited, Quota
from vpemetrics.collectors.github.messages import CORE, GRAPHQL
from vpemetrics.collectors.github.patience import Patience
from vpemetrics.collectors.github.problems import Waiting

# A query without mutations and a GET are one point each:
# https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
_A_MINUTE: Final = {CORE: 900, GRAPHQL: 2000}
_MINUTE: Final = timedelta(minutes=1)
_LEAST: Final = timedelta(seconds=1)
_EVERYTHING: Final = "everything"
_HASTY: Final = "GitHub asks for a pause (its secondary rate limit)"


@dataclass(frozen=True, kw_only=True)
class _Closing:
    """From when to when the gate is shut, and why."""

    since: datetime
    until: datetime
    why: str


class Gate:
    """Shut while GitHub wants nobody to ask, or when it is asked too fast.

    Several threads may come at once; one wait is announced once. A refusal that GitHub sets no
    end to is waited for a minute, the next in a row two, then four. Who enters is given a
    ticket; those given out before a refusal stand for what was under way then.
    """

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._lock = Lock()
        self._closings: dict[str, _Closing] = {}
        self._turns = {
            resource: deque[datetime](maxlen=most) for resource, most in _A_MINUTE.items()
        }
        self._refusals = 0
        self._ticket = 0
        self._is_closed = False
        self._refused_since: datetime | None = None
        self._announced: _Closing | None = None

    def enter(self, resource: str) -> int:
        """A ticket, as soon as one may ask for a resource; Waiting if that takes too long."""
        while True:
            with self._lock:
                now = self._patience.clock()
                self._check_open(now)
                closing = self._shut(resource, now)
                is_first = closing is not None and closing != self._announced
                self._announced = closing or self._announced
                too_fast = self._too_fast_until(resource, now)
                if not closing and not too_fast:
                    self._note_turn(resource, now)
                    return self._ticket
            if closing:
                self._wait_for(closing, now, is_first=is_first)
            elif too_fast:
                self._sleep_until(too_fast)

    def close(self) -> None:
        """Lets nobody in any more; who waits is told so (Waiting) within a second."""
        self._is_closed = True

    def refused(self, limit: Limited, resource: str, *, ticket: int) -> None:
        """Shuts the gate, for all resources unless it is one's hourly limit."""
        with self._lock:
            if ticket != self._ticket:
                return  # it was under way when another one was refused
            now = self._patience.clock()
            self._ticket += 1
            self._refusals += 1
            self._refused_since = self._refused_since or now
            self._close(
                resource if limit.hourly else _EVERYTHING,
                _Closing(
                    since=self._refused_since,
                    until=now + self._pause(limit.wait),
                    why=_hourly(resource, limit.quota) if limit.hourly else _HASTY,
                ),
            )

    def answered(self, resource: str, quota: Quota | None, left: timedelta, *, ticket: int) -> None:
        """Notes an answer: with nothing left of the quota the gate is shut until it resets."""
        with self._lock:
            now = self._patience.clock()
            if ticket == self._ticket:
                self._refusals, self._refused_since = 0, None
            if quota and quota.remaining == 0 and left > timedelta():
                why = _hourly(resource, quota)
                self._close(resource, _Closing(since=now, until=now + left, why=why))

    def _check_open(self, end: datetime) -> None:
        if self._is_closed or self._patience.stop():
            raise Waiting("given up, as the collection was stopped", until=end)

    def _shut(self, resource: str, now: datetime) -> _Closing | None:
        """What shuts the gate longest."""
        closings = (self._closings.get(key) for key in (resource, _EVERYTHING))
        shut = [closing for closing in closings if closing and closing.until > now]
        return max(shut, key=lambda closing: closing.until, default=None)

    def _close(self, key: str, closing: _Closing) -> None:
        before = self._closings.get(key)
        if before is None or before.until < closing.until:
            self._closings[key] = closing

    def _pause(self, told: timedelta | None) -> timedelta:
        """How long a refusal is waited for; never less than GitHub says, ever longer in a row."""
        if told is None:
            return _MINUTE * (1 << (self._refusals - 1))
        return max(told, _LEAST if self._refusals == 1 else _MINUTE * (1 << (self._refusals - 2)))

    def _too_fast_until(self, resource: str, now: datetime) -> datetime | None:
        turns = self._turns.get(resource)
        if not turns or len(turns) < _A_MINUTE[resource] or turns[0] + _MINUTE <= now:
            return None
        return turns[0] + _MINUTE

    def _note_turn(self, resource: str, now: datetime) -> None:
        if resource in self._turns:
            self._turns[resource].append(now)

    def _wait_for(self, closing: _Closing, now: datetime, *, is_first: bool) -> None:
        if closing.until - closing.since > self._patience.max_wait + _LEAST:
            raise Waiting(self._too_long(closing, now), until=closing.until)
        if is_first:
            length, end = _length(closing.until - now), _time(closing.until)
            self._patience.announce(f"{closing.why}: waiting {length}, until {end}")
        self._sleep_until(closing.until, shown=is_first)

    def _too_long(self, closing: _Closing, now: datetime) -> str:
        length, end = _length(closing.until - now), _time(closing.until)
        return (
            f"{closing.why}, until {end}: {length} to wait, and max_wait is "
            f"{_length(self._patience.max_wait)}. "
            "What was collected so far is saved, and the next collection goes on from here."
        )

    def _sleep_until(self, end: datetime, *, shown: bool = False) -> None:
        while (left := end - self._patience.clock()) > timedelta():
            if shown:
                self._patience.countdown(left)
            self._patience.sleep(min(1.0, left.total_seconds()))
            self._check_open(end)
        if shown:
            self._patience.countdown(timedelta())


def _hourly(resource: str, quota: Quota | None) -> str:
    unit = "GraphQL points" if resource == GRAPHQL else "requests"
    count = f"{quota.limit:,} " if quota else ""
    return f"GitHub's hourly limit of {count}{unit} is used up"


def _time(at: datetime) -> str:
    return f"{at:%H:%M:%S} UTC"


def _length(span: timedelta) -> str:
    seconds = max(round(span.total_seconds()), 0)
    return f"{seconds} s" if seconds < 120 else f"{round(seconds / 60)} min"
