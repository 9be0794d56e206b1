"""Which replies are refusals because of a limit, and for how long: replies in, values out."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from vpemetrics.collectors.github.limits import Limited, Quota, limited, quota_told
from vpemetrics.collectors.github.messages import Reply

NOW = datetime(2026, 9, 7, 12, tzinfo=UTC)
RESET = int(NOW.timestamp()) + 600
USED_UP = {
    "x-ratelimit-limit": "5000",
    "x-ratelimit-remaining": "0",
    "x-ratelimit-reset": str(RESET),
}
LEFT = {**USED_UP, "x-ratelimit-remaining": "3"}
QUOTA = Quota(limit=5000, remaining=0, reset_at=datetime.fromtimestamp(RESET, UTC))

HOUR = Limited(hourly=True, wait=timedelta(seconds=601), quota=QUOTA)
MINUTE = Limited(hourly=False, wait=timedelta(minutes=1))
UNTOLD = Limited(hourly=False, wait=None)

PRIMARY = "API rate limit exceeded for user ID 1."
SECONDARY = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
)


def reply(status: int, body: object, headers: dict[str, str] | None = None) -> Reply:
    return Reply(status=status, headers=headers or {}, content=json.dumps(body).encode())


def message(text: str) -> dict[str, str]:
    return {"message": text}


def error(text: str, **more: str) -> dict[str, list[dict[str, str]]]:
    return {"errors": [{"message": text, **more}]}


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (reply(403, message(PRIMARY), USED_UP), HOUR),
        (reply(429, message(PRIMARY), USED_UP), HOUR),
        # Retry-After counts first, as GitHub documents it
        (reply(403, message(SECONDARY), {"retry-after": "60"}), MINUTE),
        (reply(403, message(SECONDARY), {**USED_UP, "retry-after": "60"}), MINUTE),
        (reply(429, message("Slow down"), {"retry-after": "60"}), MINUTE),
        (reply(429, {}, {"retry-after": "Mon, 07 Sep 2026 12:01:00 GMT"}), MINUTE),
        (reply(429, {}, {"retry-after": "soon"}), UNTOLD),
        # a limit against haste is no matter of the hour, whatever is left of it
        (reply(403, message(SECONDARY), LEFT), UNTOLD),
        (reply(403, message("You have triggered an abuse detection mechanism"), LEFT), UNTOLD),
        (reply(429, message("Too many requests"), LEFT), UNTOLD),
        (reply(429, "no object"), UNTOLD),
        (reply(403, message(PRIMARY)), UNTOLD),  # a proxy that drops headers
        # GraphQL says it with 200, in two spellings
        (reply(200, error(PRIMARY, type="RATE_LIMITED"), USED_UP), HOUR),
        (reply(200, error(PRIMARY, type="RATE_LIMIT", code="graphql_rate_limit"), USED_UP), HOUR),
        (reply(200, error(SECONDARY, type="RATE_LIMITED"), LEFT), UNTOLD),
        (reply(200, error(PRIMARY, type="RATE_LIMITED")), Limited(hourly=True, wait=None)),
        # or without any
        (reply(200, error(SECONDARY), LEFT), UNTOLD),
        (reply(200, error(SECONDARY), {"retry-after": "60"}), MINUTE),
        (reply(200, error(PRIMARY), USED_UP), HOUR),
        # these are no limits
        (reply(403, message("Resource not accessible by integration"), LEFT), None),
        (reply(404, message("Not Found"), USED_UP), None),
        (reply(200, {"data": {"a": 1}}, USED_UP), None),  # the last that was allowed
        (reply(200, error("Field 'rate limit' doesn't exist")), None),
        (reply(503, {}, {"retry-after": "60"}), None),
    ],
)
def test_a_limit_is_told_from_other_refusals(given: Reply, meant: Limited | None) -> None:
    assert limited(given, NOW) == meant


@pytest.mark.parametrize("date", ["Mon, 07 Sep 2026 11:58:00 GMT", "Mon, 07 Sep 2026 11:58:00"])
def test_a_reset_is_as_far_away_as_on_github_s_clock(date: str) -> None:
    given = reply(403, message(PRIMARY), {**USED_UP, "date": date})

    assert limited(given, NOW) == Limited(hourly=True, wait=timedelta(seconds=721), quota=QUOTA)


def test_numbers_with_a_point_are_whole_numbers() -> None:
    headers = {name: f"{value}.0" for name, value in USED_UP.items()}

    assert quota_told(reply(200, {}, headers)) == QUOTA


def test_who_does_not_count_tells_no_quota() -> None:
    assert quota_told(reply(200, {})) is None
