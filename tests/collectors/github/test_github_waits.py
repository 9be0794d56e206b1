"""How long limits are waited for and what is told meanwhile, on loopback with a clock of ours."""

from datetime import timedelta

import pytest
from loopback import NOON, Hourglass, Loopback, Say

from vpemetrics.collectors.github.client import Client, access_by_token
from vpemetrics.collectors.github.errors import GRAPHQL
from vpemetrics.collectors.github.queries import Query
from vpemetrics.collectors.github.rate_limits import CORE, GITHUB_LIMITS
from vpemetrics.collectors.http import RateLimiter, Waiting

ANY = Query(label="", text="query { a }")
OK = Say(json={"data": {"a": 1}})


def hour(left: timedelta, *, remaining: int = 0) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": "5000",
        "X-RateLimit-Remaining": str(remaining),
        "X-RateLimit-Reset": str(int((NOON + left).timestamp())),
    }


def refusal(
    status: int = 403, headers: dict[str, str] | None = None, *, hasty: bool = False
) -> Say:
    text = "You have exceeded a secondary rate limit" if hasty else "API rate limit exceeded"
    return Say(status=status, json={"message": text}, headers=headers or {})


TEN = timedelta(minutes=10)


def test_a_used_up_hour_is_waited_for_and_told_with_its_end(
    client: Client, github: Loopback, hourglass: Hourglass
) -> None:
    github.say(refusal(headers=hour(TEN)), OK)

    client.get("/x")

    assert github.waits == [601]
    assert hourglass.announced == [
        "GitHub's hourly limit of 5,000 requests is used up: "
        "waiting 10 min, until 2026-09-07 12:10:01 UTC"
    ]
    assert hourglass.counted[0] == timedelta(seconds=601)
    assert hourglass.counted[-1] == timedelta()
    assert len(hourglass.counted) == 602


def test_a_used_up_hour_of_graphql_comes_as_a_good_answer(
    client: Client, github: Loopback, hourglass: Hourglass
) -> None:
    errors = {"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]}
    github.say(Say(json=errors, headers=hour(TEN)), OK)

    assert client.query(ANY).data == {"a": 1}
    assert github.waits == [601]
    assert hourglass.announced == [
        "GitHub's hourly limit of 5,000 GraphQL points is used up: "
        "waiting 10 min, until 2026-09-07 12:10:01 UTC"
    ]


def test_nothing_is_asked_once_an_answer_says_that_it_was_the_last(
    client: Client, github: Loopback
) -> None:
    github.say(Say(json={}, headers=hour(TEN)), OK, OK)

    client.get("/x")
    client.query(ANY)  # another limit, with something left
    client.get("/x")

    assert github.waits == [0, 601]


def test_the_limits_can_be_looked_at_while_one_is_used_up(
    client: Client, github: Loopback, hourglass: Hourglass
) -> None:
    github.say(Say(json={}, headers=hour(TEN)), Say(json={"resources": {}}))

    client.get("/x")
    client.limits()

    assert hourglass.slept == []


def test_a_pause_is_as_long_as_github_says(client: Client, github: Loopback) -> None:
    github.say(refusal(403, {"Retry-After": "17"}, hasty=True), OK)

    client.get("/x")

    assert github.waits == [17]


def test_a_pause_without_an_end_grows_until_an_answer_comes(
    client: Client, github: Loopback, hourglass: Hourglass
) -> None:
    github.say(refusal(429), refusal(429), refusal(hasty=True), OK, refusal(429), OK)

    client.get("/x")
    client.get("/x")

    assert github.waits == [60, 120, 240, 0, 60]
    assert hourglass.announced[0] == (
        "GitHub asks for a pause (its secondary rate limit): "
        "waiting 60 s, until 2026-09-07 12:01:00 UTC"
    )


def test_a_wait_that_is_too_long_is_not_begun(github: Loopback, hourglass: Hourglass) -> None:
    policy = hourglass.policy(max_wait=timedelta(minutes=5))
    access = access_by_token(url=github.url, token="ghp_abc", policy=policy)
    github.say(refusal(headers=hour(TEN)), OK)

    for _ in range(2):  # and not tried again
        with pytest.raises(Waiting) as caught:
            access.client("acme").get("/x")

    assert caught.value.until == NOON + timedelta(seconds=601)
    assert str(caught.value) == (
        "GitHub's hourly limit of 5,000 requests is used up, until 2026-09-07 12:10:01 UTC: "
        "10 min to wait, and max_wait is 5 min. "
        "What was collected so far is saved, and the next collection goes on from here."
    )
    assert hourglass.slept == []
    assert len(github.asked) == 1
    access.client("acme").query(ANY)  # the other limit stands for itself
    access.close()


@pytest.mark.parametrize(("resource", "most"), [(CORE, 900), (GRAPHQL, 2000)])
def test_no_more_is_asked_in_a_minute_than_github_likes(
    hourglass: Hourglass, resource: str, most: int
) -> None:
    gate = RateLimiter(hourglass.policy(), GITHUB_LIMITS)

    for _ in range(most):
        gate.enter(resource)
    assert hourglass.now == NOON

    gate.enter(resource)

    assert hourglass.now == NOON + timedelta(minutes=1)
    assert hourglass.announced == []
