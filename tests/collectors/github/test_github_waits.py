"""How long limits are waited for and what is told meanwhile, on loopback with a clock of ours."""

from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Event, Thread

import pytest
from loopback import NOON, Asked, Hourglass, Loopback, Say

from vpemetrics.collectors.github.client import Client, access_by_token
from vpemetrics.collectors.github.gate import Gate
from vpemetrics.collectors.github.limits import Limited
from vpemetrics.collectors.github.messages import CORE, GRAPHQL
from vpemetrics.collectors.github.problems import Waiting

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
        "GitHub's hourly limit of 5,000 requests is used up: waiting 10 min, until 12:10:01 UTC"
    ]
    assert hourglass.counted[0] == timedelta(seconds=601)
    assert hourglass.counted[-1] == timedelta()
    assert len(hourglass.counted) == 602


def test_a_used_up_hour_of_graphql_comes_as_a_good_answer(
    client: Client, github: Loopback, hourglass: Hourglass
) -> None:
    errors = {"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]}
    github.say(Say(json=errors, headers=hour(TEN)), OK)

    assert client.query("query { a }").data == {"a": 1}
    assert github.waits == [601]
    assert hourglass.announced == [
        "GitHub's hourly limit of 5,000 GraphQL points is used up: "
        "waiting 10 min, until 12:10:01 UTC"
    ]


def test_nothing_is_asked_once_an_answer_says_that_it_was_the_last(
    client: Client, github: Loopback
) -> None:
    github.say(Say(json={}, headers=hour(TEN)), OK, OK)

    client.get("/x")
    client.query("query { a }")  # another limit, with something left
    client.get("/x")

    assert github.waits == [0, 601]


def test_the_limits_can_be_looked_at_while_one_is_used_up(
    client: Client, github: Loopback, hourglass: Hourglass
) -> None:
    github.say(Say(json={}, headers=hour(TEN)), Say(json={"resources": {}}))

    client.get("/x")
    client.limits()

    assert hourglass.slept == []


def test_github_s_clock_counts_where_ours_is_wrong(
    client: Client, github: Loopback, hourglass: Hourglass
) -> None:
    theirs = {"Date": "Mon, 07 Sep 2026 12:05:00 GMT"}  # five minutes ahead of ours
    github.say(refusal(headers={**hour(TEN), **theirs}), OK)

    client.get("/x")

    assert github.waits == [301]


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
        "GitHub asks for a pause (its secondary rate limit): waiting 60 s, until 12:01:00 UTC"
    )


def test_an_end_that_is_past_does_not_make_us_knock_all_the_time(
    client: Client, github: Loopback
) -> None:
    over = hour(timedelta(minutes=-10))
    github.say(*[refusal(headers=over)] * 3, refusal(429, {"Retry-After": "0"}), OK)

    client.get("/x")

    assert github.waits == [1, 60, 120, 240]


def test_a_wait_that_is_too_long_is_not_begun(github: Loopback, hourglass: Hourglass) -> None:
    patience = hourglass.patience(max_wait=timedelta(minutes=5))
    access = access_by_token(url=github.url, token="ghp_abc", patience=patience)
    github.say(refusal(headers=hour(TEN)), OK)

    for _ in range(2):  # and not tried again
        with pytest.raises(Waiting) as caught:
            access.client("acme").get("/x")

    assert caught.value.until == NOON + timedelta(seconds=601)
    assert str(caught.value) == (
        "GitHub's hourly limit of 5,000 requests is used up, until 12:10:01 UTC: "
        "10 min to wait, and max_wait is 5 min. "
        "What was collected so far is saved, and the next collection goes on from here."
    )
    assert hourglass.slept == []
    assert len(github.asked) == 1
    access.client("acme").query("query { a }")  # the other limit stands for itself
    access.close()


def test_pauses_in_a_row_together_are_one_wait(github: Loopback, hourglass: Hourglass) -> None:
    patience = hourglass.patience(max_wait=timedelta(minutes=5))
    access = access_by_token(url=github.url, token="ghp_abc", patience=patience)
    github.answer = lambda _asked: refusal(429)

    with pytest.raises(Waiting):
        access.client("acme").get("/x")

    assert github.waits == [60, 120]  # four minutes more would be seven together
    access.close()


def test_a_whole_hour_can_be_waited_for(client: Client, github: Loopback) -> None:
    github.say(refusal(headers=hour(timedelta(hours=1))), OK)

    client.get("/x")

    assert github.waits == [3601]


def test_a_pause_holds_for_all_threads_and_is_told_once(
    client: Client, github: Loopback, hourglass: Hourglass
) -> None:
    together = Barrier(6)

    def answer(asked: Asked) -> Say:
        if asked.at > NOON:
            return OK
        together.wait(10)
        return refusal(403, {"Retry-After": "60"}, hasty=True)

    github.answer = answer
    threads = [Thread(target=client.get, args=(f"/{number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert len(github.asked) == 12
    assert all(one.at >= NOON + timedelta(minutes=1) for one in github.asked[6:])
    assert len(hourglass.announced) == 1


def test_who_waits_is_let_go_when_the_client_is_closed(
    client: Client, github: Loopback, hourglass: Hourglass
) -> None:
    github.say(refusal(headers=hour(TEN)))
    hourglass.before_sleep = client.close  # as somebody does who pressed Ctrl-C

    with pytest.raises(Waiting, match="the collection was stopped"):
        client.get("/x")

    assert hourglass.slept == [1]
    with pytest.raises(Waiting):
        client.get("/x")


def test_who_waits_gives_up_once_the_collection_is_to_stop(
    github: Loopback, hourglass: Hourglass
) -> None:
    stopping = Event()
    hourglass.before_sleep = stopping.set
    patience = replace(hourglass.patience(), stop=stopping.is_set)
    github.say(refusal(headers=hour(TEN)))
    access = access_by_token(url=github.url, token="t", patience=patience)

    with pytest.raises(Waiting, match="the collection was stopped"):
        access.client("").get("/x")

    access.close()
    assert hourglass.slept == [1]


def test_refusals_of_what_was_under_way_together_count_as_one(hourglass: Hourglass) -> None:
    gate = Gate(hourglass.patience())
    untold = Limited(hourly=False, wait=None)
    first, second = gate.enter(CORE), gate.enter(CORE)

    gate.refused(untold, CORE, ticket=first)
    gate.refused(untold, CORE, ticket=second)
    gate.enter(GRAPHQL)

    assert hourglass.now == NOON + timedelta(seconds=60)


def test_an_answer_that_was_under_way_does_not_end_a_row_of_refusals(hourglass: Hourglass) -> None:
    gate = Gate(hourglass.patience())
    untold = Limited(hourly=False, wait=None)
    first, second = gate.enter(CORE), gate.enter(CORE)

    gate.refused(untold, CORE, ticket=first)
    gate.answered(CORE, None, timedelta(), ticket=second)
    gate.refused(untold, CORE, ticket=gate.enter(CORE))
    gate.enter(CORE)

    assert hourglass.now == NOON + timedelta(seconds=60 + 120)


@pytest.mark.parametrize(("resource", "most"), [(CORE, 900), (GRAPHQL, 2000)])
def test_no_more_is_asked_in_a_minute_than_github_likes(
    hourglass: Hourglass, resource: str, most: int
) -> None:
    gate = Gate(hourglass.patience())

    for _ in range(most):
        gate.enter(resource)
    assert hourglass.now == NOON

    gate.enter(resource)

    assert hourglass.now == NOON + timedelta(minutes=1)
    assert hourglass.announced == []
