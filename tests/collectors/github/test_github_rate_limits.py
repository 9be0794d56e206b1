"""Which replies are refusals because of a limit, and for how long: replies in, values out."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from vpemetrics.collectors.github.rate_limits import read_refusal
from vpemetrics.collectors.http import Quota, Refusal, Response

NOW = datetime(2026, 9, 7, 12, tzinfo=UTC)
RESET = int(NOW.timestamp()) + 600
USED_UP = {
    "x-ratelimit-limit": "5000",
    "x-ratelimit-remaining": "0",
    "x-ratelimit-reset": str(RESET),
}
LEFT = {**USED_UP, "x-ratelimit-remaining": "3"}
QUOTA = Quota(limit=5000, remaining=0, reset_at=datetime.fromtimestamp(RESET, UTC))

HOUR = Refusal(of_quota=True, wait=timedelta(seconds=601), quota=QUOTA)
MINUTE = Refusal(of_quota=False, wait=timedelta(minutes=1))
UNTOLD = Refusal(of_quota=False, wait=None)

PRIMARY = "API rate limit exceeded for user ID 1."
SECONDARY = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
)


def response(status: int, body: object, headers: dict[str, str] | None = None) -> Response:
    return Response(status=status, headers=headers or {}, content=json.dumps(body).encode())


def message(text: str) -> dict[str, str]:
    return {"message": text}


def error(text: str, **more: str) -> dict[str, list[dict[str, str]]]:
    return {"errors": [{"message": text, **more}]}


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (response(403, message(PRIMARY), USED_UP), HOUR),
        (response(429, message(PRIMARY), USED_UP), HOUR),
        # Retry-After counts first, as GitHub documents it
        (response(403, message(SECONDARY), {"retry-after": "60"}), MINUTE),
        (response(403, message(SECONDARY), {**USED_UP, "retry-after": "60"}), MINUTE),
        (response(429, message("Slow down"), {"retry-after": "60"}), MINUTE),
        (response(429, {}, {"retry-after": "Mon, 07 Sep 2026 12:01:00 GMT"}), MINUTE),
        (response(429, {}, {"retry-after": "soon"}), UNTOLD),
        # a limit against haste is no matter of the hour, whatever is left of it
        (response(403, message(SECONDARY), LEFT), UNTOLD),
        (response(403, message("You have triggered an abuse detection mechanism"), LEFT), UNTOLD),
        (response(429, message("Too many requests"), LEFT), UNTOLD),
        (response(429, "no object"), UNTOLD),
        (response(403, message(PRIMARY)), UNTOLD),  # a proxy that drops headers
        # GraphQL says it with 200, in two spellings
        (response(200, error(PRIMARY, type="RATE_LIMITED"), USED_UP), HOUR),
        (
            response(200, error(PRIMARY, type="RATE_LIMIT", code="graphql_rate_limit"), USED_UP),
            HOUR,
        ),
        (response(200, error(SECONDARY, type="RATE_LIMITED"), LEFT), UNTOLD),
        (response(200, error(PRIMARY, type="RATE_LIMITED")), Refusal(of_quota=True, wait=None)),
        # or without any
        (response(200, error(SECONDARY), LEFT), UNTOLD),
        (response(200, error(SECONDARY), {"retry-after": "60"}), MINUTE),
        (response(200, error(PRIMARY), USED_UP), HOUR),
        # these are no limits
        (response(403, message("Resource not accessible by integration"), LEFT), None),
        (response(404, message("Not Found"), USED_UP), None),
        (response(200, {"data": {"a": 1}}, USED_UP), None),  # the last that was allowed
        (response(200, error("Field 'rate limit' doesn't exist")), None),
        (response(503, {}, {"retry-after": "60"}), None),
    ],
)
def test_a_limit_is_told_from_other_refusals(given: Response, meant: Refusal | None) -> None:
    assert read_refusal(given, NOW) == meant


@pytest.mark.parametrize("date", ["Mon, 07 Sep 2026 11:58:00 GMT", "Mon, 07 Sep 2026 11:58:00"])
def test_a_reset_is_as_far_away_as_on_github_s_clock(date: str) -> None:
    given = response(403, message(PRIMARY), {**USED_UP, "date": date})

    assert read_refusal(given, NOW) == Refusal(
        of_quota=True, wait=timedelta(seconds=721), quota=QUOTA
    )
