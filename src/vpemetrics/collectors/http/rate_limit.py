"""The limits of a server: how they are told, and the one place where they are waited for.

Three dialects are read as they are (`read_quota`):
- X-RateLimit-Limit, -Remaining and -Reset (a moment) of GitHub, Gitea and many others,
  https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api;
- RateLimit-… with a moment, as GitLab has it,
  https://docs.gitlab.com/administration/settings/user_and_ip_rate_limits/#response-headers;
- RateLimit-… with seconds, as in the draft of the IETF and at PagerDuty,
  https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/06/ and
  https://support.pagerduty.com/main/docs/rest-api-rate-limits.

A server with words of its own brings its readers in its `RateLimits`.
"""

import re
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any, Final
from zoneinfo import ZoneInfo

from vpemetrics.collectors.base import never
from vpemetrics.collectors.http.errors import Waiting
from vpemetrics.collectors.http.messages import Response, parse_http_date
from vpemetrics.collectors.sizes import MOST_BYTES

_MINUTE: Final = timedelta(minutes=1)
_LEAST: Final = timedelta(seconds=1)
_EVERYTHING: Final = "everything"
_NUMBER = re.compile(r"\s*(\d{1,15}(?:\.\d*)?)")
# A reset is a moment if it is a count of seconds that large, else so many seconds from now.
_EARLIEST_MOMENT: Final = 1_000_000_000
_LATEST_MOMENT: Final = 4_102_444_800
_LONGEST: Final = timedelta(days=366)


def _now() -> datetime:
    return datetime.now(UTC)


def _unheard(_text: str) -> None:
    """Nobody listens."""


def _unseen(_left: timedelta) -> None:
    """Nobody looks."""


@dataclass(frozen=True, kw_only=True)
class WaitPolicy:
    """The time for which a server is waited for, and who is told.

    A limit is waited for up to `max_wait`, the next piece of an answer up to `answer_time`, the
    whole of it up to `total_time`. `announce` hears of a wait once, with its end; `countdown`
    every second how much is left, at last zero. `stop` is asked every second whether to give
    up. `sleep` has to let the time of `clock` pass. Moments are told as they are in `zone`.
    An answer has at most `most_bytes`, once it is unpacked.
    """

    max_wait: timedelta = timedelta(hours=1)
    answer_time: timedelta = timedelta(seconds=30)
    total_time: timedelta = timedelta(minutes=5)
    most_bytes: int = MOST_BYTES
    zone: str = "UTC"
    announce: Callable[[str], None] = _unheard
    countdown: Callable[[timedelta], None] = _unseen
    stop: Callable[[], bool] = never
    clock: Callable[[], datetime] = _now
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, kw_only=True)
class Quota:
    """One limit for a stretch of time, as an hour: of requests, or of what else is counted."""

    limit: int
    remaining: int
    reset_at: datetime


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A refusal because of a limit, and for how long as far as the server says.

    `of_quota` tells a quota that is used up from a limit against haste, which stands for every
    resource. `quota` is the one that is used up, where it is told.
    """

    of_quota: bool
    wait: timedelta | None
    quota: Quota | None = None


def read_quota(response: Response, now: datetime) -> Quota | None:
    """Return how much is left after this response; None where the server does not count."""
    for prefix in ("x-ratelimit", "ratelimit"):
        told = [response.headers.get(f"{prefix}-{name}") for name in ("limit", "remaining")]
        reset_at = _reset_at(response.headers.get(f"{prefix}-reset"), response.sent_at or now)
        limit, remaining = map(_number, told)
        if limit is not None and remaining is not None and reset_at:
            return Quota(limit=int(limit), remaining=int(remaining), reset_at=reset_at)
    return None


def make_quota(limit: Any, remaining: Any, reset: Any) -> Quota | None:
    """Return a quota in whole numbers, though GitHub was seen to send others; None for no quota.

    `reset` is in seconds since 1970.
    """
    try:
        return Quota(
            limit=int(float(limit)),
            remaining=int(float(remaining)),
            reset_at=datetime.fromtimestamp(int(float(reset)), UTC),
        )
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def read_refusal(response: Response, now: datetime) -> Refusal | None:
    """Return the refusal that a response with status 429 or 403 is; None if it is none.

    Retry-After counts first, then the reset of a quota that is used up, else nothing is said.
    """
    if response.status not in (403, 429):
        return None
    if "retry-after" in response.headers:
        return read_pause(response, now)
    quota = read_quota(response, now)
    if quota and quota.remaining == 0:
        return read_used_up(response, now)
    return Refusal(of_quota=False, wait=None) if response.status == 429 else None


def read_pause(response: Response, now: datetime) -> Refusal:
    """Return the refusal of haste, for as long as Retry-After says: in seconds, or to a date.

    https://www.rfc-editor.org/rfc/rfc9110#field.retry-after; a date is by the server's clock.
    """
    told = response.headers.get("retry-after", "")
    if told.strip().isdecimal():
        seconds = min(int(told), int(_LONGEST.total_seconds()))
        return Refusal(of_quota=False, wait=timedelta(seconds=seconds))
    until = parse_http_date(told)
    wait = min(until - (response.sent_at or now), _LONGEST) if until else None
    return Refusal(of_quota=False, wait=wait)


def read_used_up(response: Response, now: datetime) -> Refusal:
    """Return the refusal of a quota that is used up, until it is reset."""
    quota = read_quota(response, now)
    wait = time_to_reset(quota, response, now) if quota else None
    return Refusal(of_quota=True, wait=wait, quota=quota)


def time_to_reset(quota: Quota, response: Response, now: datetime) -> timedelta:
    """Return how long until the quota is reset, by the server's clock, whatever ours says.

    A second more, as nobody knows where in its second the reset is.
    """
    return min(quota.reset_at - (response.sent_at or now) + _LEAST, _LONGEST)


@dataclass(frozen=True, kw_only=True)
class RateLimits:
    """The ways in which a kind of server limits what may be asked, and the words for it.

    `a_minute` is how many requests of a resource are sent in a minute at most, `units` what is
    counted of a resource. `period` and `haste` name the limit that is used up, and that against
    asking too fast.
    """

    a_minute: Mapping[str, int] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    period: str = ""
    haste: str = "its rate limit"
    quota: Callable[[Response, datetime], Quota | None] = read_quota
    refusal: Callable[[Response, datetime], Refusal | None] = read_refusal


@dataclass(frozen=True, kw_only=True)
class _Closing:
    """From when to when nobody may ask, and why."""

    since: datetime
    until: datetime
    why: str


class RateLimiter:
    """Lets nobody ask while a server wants a pause, or when it is asked too fast.

    Several threads may come at once; one wait is announced once. A refusal that the server sets
    no end to is waited for a minute, the next in a row two, then four. Who enters is given a
    ticket; those given out before a refusal stand for what was under way then.
    """

    def __init__(
        self, policy: WaitPolicy, limits: RateLimits, *, server: str = "the server"
    ) -> None:
        self._policy = policy
        self._limits = limits
        self._server = server
        self._lock = Lock()
        self._closings: dict[str, _Closing] = {}
        self._turns = {
            resource: deque[datetime](maxlen=most) for resource, most in limits.a_minute.items()
        }
        self._refusals = 0
        self._ticket = 0
        self._is_closed = False
        self._refused_since: datetime | None = None
        self._announced: _Closing | None = None

    def enter(self, resource: str) -> int:
        """Return a ticket, as soon as one may ask; Waiting if that takes too long."""
        while True:
            with self._lock:
                now = self._policy.clock()
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
        """Let nobody in any more; who waits is told so (Waiting) within a second."""
        self._is_closed = True

    def read(self, response: Response, resource: str, *, ticket: int) -> bool:
        """Note what a response says of the limits; true if it is a refusal because of one."""
        now = self._policy.clock()
        refusal = self._limits.refusal(response, now)
        if refusal:
            self.refuse(refusal, resource, ticket=ticket)
            return True
        quota = self._limits.quota(response, now)
        left = time_to_reset(quota, response, now) if quota else timedelta()
        self.note_answer(resource, quota, left, ticket=ticket)
        return False

    def refuse(self, refusal: Refusal, resource: str, *, ticket: int) -> None:
        """Shut everybody out, from all resources unless it is one's quota."""
        with self._lock:
            if ticket != self._ticket:
                return  # it was under way when another one was refused
            now = self._policy.clock()
            self._ticket += 1
            self._refusals += 1
            self._refused_since = self._refused_since or now
            self._close(
                resource if refusal.of_quota else _EVERYTHING,
                _Closing(
                    since=self._refused_since,
                    until=now + self._pause(refusal.wait),
                    why=self._used_up(resource, refusal.quota)
                    if refusal.of_quota
                    else f"{self._server} asks for a pause ({self._limits.haste})",
                ),
            )

    def note_answer(
        self, resource: str, quota: Quota | None, left: timedelta, *, ticket: int
    ) -> None:
        """Note an answer: with nothing left of the quota nobody may ask until it is reset."""
        with self._lock:
            now = self._policy.clock()
            if ticket == self._ticket:
                self._refusals, self._refused_since = 0, None
            if quota and quota.remaining == 0 and left > timedelta():
                why = self._used_up(resource, quota)
                self._close(resource, _Closing(since=now, until=now + left, why=why))

    def _check_open(self, end: datetime) -> None:
        if self._is_closed or self._policy.stop():
            raise Waiting("given up, as the collection was stopped", until=end)

    def _shut(self, resource: str, now: datetime) -> _Closing | None:
        """Return what shuts longest."""
        closings = (self._closings.get(key) for key in (resource, _EVERYTHING))
        shut = [closing for closing in closings if closing and closing.until > now]
        return max(shut, key=lambda closing: closing.until, default=None)

    def _close(self, key: str, closing: _Closing) -> None:
        before = self._closings.get(key)
        if before is None or before.until < closing.until:
            self._closings[key] = closing

    def _pause(self, told: timedelta | None) -> timedelta:
        """Return how long to wait; never less than the server says, ever longer in a row."""
        if told is None:
            return _MINUTE * (1 << (self._refusals - 1))
        return max(told, _LEAST if self._refusals == 1 else _MINUTE * (1 << (self._refusals - 2)))

    def _too_fast_until(self, resource: str, now: datetime) -> datetime | None:
        turns = self._turns.get(resource)
        if not turns or len(turns) < self._limits.a_minute[resource]:
            return None
        free_at = turns[0] + _MINUTE
        return free_at if free_at > now else None

    def _note_turn(self, resource: str, now: datetime) -> None:
        if resource in self._turns:
            self._turns[resource].append(now)

    def _wait_for(self, closing: _Closing, now: datetime, *, is_first: bool) -> None:
        if closing.until - closing.since > self._policy.max_wait + _LEAST:
            raise Waiting(self._too_long(closing, now), until=closing.until)
        if is_first:
            length, end = _length(closing.until - now), self._told(closing.until)
            self._policy.announce(f"{closing.why}: waiting {length}, until {end}")
        self._sleep_until(closing.until, shown=is_first)

    def _too_long(self, closing: _Closing, now: datetime) -> str:
        length, end = _length(closing.until - now), self._told(closing.until)
        return (
            f"{closing.why}, until {end}: {length} to wait, and max_wait is "
            f"{_length(self._policy.max_wait)}. "
            "What was collected so far is saved, and the next collection goes on from here."
        )

    def _told(self, at: datetime) -> str:
        return moment_text(at, self._policy.zone)

    def _sleep_until(self, end: datetime, *, shown: bool = False) -> None:
        while (left := end - self._policy.clock()) > timedelta():
            if shown:
                self._policy.countdown(left)
            self._policy.sleep(min(1.0, left.total_seconds()))
            self._check_open(end)
        if shown:
            self._policy.countdown(timedelta())

    def _used_up(self, resource: str, quota: Quota | None) -> str:
        unit = self._limits.units.get(resource, "requests")
        count = f"{quota.limit:,} " if quota else ""
        return f"{self._server}'s {self._limits.period}limit of {count}{unit} is used up"


def _number(text: str | None) -> float | None:
    """Return the number that a header begins with; None if it does not."""
    found = _NUMBER.match(text or "")
    return float(found[1]) if found else None


def _reset_at(text: str | None, now: datetime) -> datetime | None:
    told = _number(text)
    if told is None or told > _LATEST_MOMENT:
        return None
    if told < _EARLIEST_MOMENT:
        with suppress(OverflowError):  # a server whose clock stands at the end of time
            return now + min(timedelta(seconds=told), _LONGEST)
        return None
    return datetime.fromtimestamp(int(told), UTC)


def moment_text(at: datetime, zone: str) -> str:
    """Return a moment as people in a zone write it, as in `2026-09-07 14:10:01 CEST`."""
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S %Z}"


def _length(span: timedelta) -> str:
    seconds = max(round(span.total_seconds()), 0)
    if seconds < 120:
        return f"{seconds} s"
    hours = seconds / 3600
    return f"{round(seconds / 60)} min" if hours < 10 else f"{round(hours)} h"
