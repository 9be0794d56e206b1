"""How limits are read and how long they are waited for, on loopback with a clock of ours."""

import json
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loopback import NOON, Asked, Hourglass, Loopback, Say

from vpemetrics.collectors.http import (
    HttpClient,
    Quota,
    RateLimiter,
    RateLimits,
    Refusal,
    Request,
    Response,
    SecretHeaders,
    Waiting,
)
from vpemetrics.collectors.http.rate_limit import read_quota, read_refusal

OK = Say(json={"a": 1})
TEN = timedelta(minutes=10)
RESET = int(NOON.timestamp()) + 600
USED_UP = {
    "ratelimit-limit": "600",
    "ratelimit-remaining": "0",
    "ratelimit-reset": str(RESET),
}
LEFT = {**USED_UP, "ratelimit-remaining": "3"}
QUOTA = Quota(limit=600, remaining=0, reset_at=NOON + TEN)

HOUR = Refusal(of_quota=True, wait=timedelta(seconds=601), quota=QUOTA)
MINUTE = Refusal(of_quota=False, wait=timedelta(minutes=1))
UNTOLD = Refusal(of_quota=False, wait=None)


def response(status: int, headers: dict[str, str] | None = None, body: object = None) -> Response:
    return Response(status=status, headers=headers or {}, content=json.dumps(body).encode())


@pytest.mark.parametrize(
    ("headers", "quota"),
    [
        # GitHub and many others: a moment
        (
            {f"x-{name}": value for name, value in USED_UP.items()},
            QUOTA,
        ),
        # GitLab: a moment, and the same in words
        ({**USED_UP, "ratelimit-resettime": "Mon, 07 Sep 2026 12:10:00 GMT"}, QUOTA),
        # PagerDuty and the draft of the IETF: seconds
        ({**USED_UP, "ratelimit-reset": "600"}, QUOTA),
        # the draft names the quota's window as well
        ({**USED_UP, "ratelimit-limit": "600, 600;w=3600", "ratelimit-reset": "600"}, QUOTA),
        ({name: f"{value}.0" for name, value in USED_UP.items()}, QUOTA),
        # seconds count from the server's clock
        (
            {**USED_UP, "ratelimit-reset": "600", "date": "Mon, 07 Sep 2026 12:05:00 GMT"},
            Quota(limit=600, remaining=0, reset_at=NOON + timedelta(minutes=15)),
        ),
        # who does not count, or speaks otherwise, tells no quota
        ({}, None),
        ({**USED_UP, "ratelimit-reset": "soon"}, None),
        ({**USED_UP, "ratelimit-reset": "99999999999999"}, None),
        ({"ratelimit-remaining": "0"}, None),
    ],
)
def test_a_quota_is_read_in_the_dialect_of_the_server(
    headers: dict[str, str], quota: Quota | None
) -> None:
    assert read_quota(response(200, headers), NOON) == quota


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        (response(429, USED_UP), HOUR),
        (response(403, USED_UP), HOUR),
        # Retry-After counts first
        (response(429, {**USED_UP, "retry-after": "60"}), MINUTE),
        (response(403, {"retry-after": "60"}), MINUTE),
        (response(429, {"retry-after": "Mon, 07 Sep 2026 12:01:00 GMT"}), MINUTE),
        (
            response(
                429,
                {
                    "retry-after": "Mon, 07 Sep 2026 12:01:00 GMT",
                    "date": "Mon, 07 Sep 2026 11:58:00 GMT",
                },
            ),
            Refusal(of_quota=False, wait=timedelta(minutes=3)),
        ),
        (response(429, {"retry-after": "soon"}), UNTOLD),
        (response(429, LEFT), UNTOLD),
        (response(429), UNTOLD),
        # these are no limits
        (response(403, LEFT), None),
        (response(404, USED_UP), None),
        (response(200, USED_UP), None),  # the last that was allowed
        (response(503, {"retry-after": "60"}), None),
    ],
)
def test_a_limit_is_told_from_other_refusals(told: Response, meant: Refusal | None) -> None:
    assert read_refusal(told, NOON) == meant


TEXTS = st.text("0123456789.,;:=-+ <>²éwMonSepGT", max_size=40)
DATES = st.dates().map("{:%a, %d %b %Y 10:00:00 GMT}".format)
LIMITS = [f"{x}ratelimit-{y}" for x in ("", "x-") for y in ("limit", "remaining", "reset")]


@given(
    status=st.sampled_from([200, 403, 429]),
    headers=st.dictionaries(
        st.sampled_from(["retry-after", "date", "link", *LIMITS]), TEXTS | DATES, max_size=9
    ),
)
def test_no_header_is_a_crash(status: int, headers: dict[str, str]) -> None:
    given_response = response(status, headers)

    quota = read_quota(given_response, NOON)
    refusal = read_refusal(given_response, NOON)
    given_response.link("next")

    assert quota is None or quota.limit >= 0
    assert refusal is None or refusal.wait is None or refusal.wait <= timedelta(days=366)


@pytest.mark.parametrize("body", [b"[" * 100_000, b"\xff", b"9" * 5_000, b'{"a": 1} x'])
def test_a_body_that_cannot_be_read_is_none(body: bytes) -> None:
    assert not Response(status=200, headers={}, content=body).is_json


def test_a_link_that_goes_on_and_on_is_read_at_once() -> None:
    endless = Response(status=200, headers={"link": "<" * 65_536}, content=b"")
    begin = process_time()

    assert endless.link("next") is None
    assert process_time() - begin < 10  # it is a millisecond; by the square it would be a minute


@pytest.mark.parametrize("told", ["9" * 30, "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_an_endless_pause_is_a_long_one(told: str) -> None:
    refusal = read_refusal(response(429, {"retry-after": told}), NOON)

    assert refusal
    assert refusal.wait == timedelta(days=366)


def hour(left: timedelta, *, remaining: int = 0) -> dict[str, str]:
    return {
        "RateLimit-Limit": "5000",
        "RateLimit-Remaining": str(remaining),
        "RateLimit-Reset": str(int((NOON + left).timestamp())),
    }


def refused(status: int = 429, headers: dict[str, str] | None = None) -> Say:
    return Say(status=status, json={"message": "slow down"}, headers=headers or {})


def client_of(server: Loopback, hourglass: Hourglass, *, max_wait: timedelta) -> HttpClient:
    return HttpClient(
        server.url,
        SecretHeaders({"PRIVATE-TOKEN": "glpat-abc"}),
        server="Forge",
        policy=hourglass.policy(max_wait=max_wait),
    )


def test_a_used_up_limit_is_waited_for_and_told_with_its_end(
    client: HttpClient, server: Loopback, hourglass: Hourglass
) -> None:
    server.say(refused(headers=hour(TEN)), OK)

    client.get("x")

    assert server.waits == [601]
    assert hourglass.announced == [
        "Forge's limit of 5,000 requests is used up: waiting 10 min, until 2026-09-07 12:10:01 UTC"
    ]
    assert hourglass.counted[0] == timedelta(seconds=601)
    assert hourglass.counted[-1] == timedelta()
    assert len(hourglass.counted) == 602


def test_nothing_is_asked_once_an_answer_says_that_it_was_the_last(
    client: HttpClient, server: Loopback
) -> None:
    server.say(Say(json={}, headers=hour(TEN)), OK, OK)

    client.get("x")
    client.ask(Request(address="x", resource="search"))  # another limit, with something left
    client.get("x")

    assert server.waits == [0, 601]


def test_the_servers_clock_counts_where_ours_is_wrong(client: HttpClient, server: Loopback) -> None:
    theirs = {"Date": "Mon, 07 Sep 2026 12:05:00 GMT"}  # five minutes ahead of ours
    server.say(refused(headers={**hour(TEN), **theirs}), OK)

    client.get("x")

    assert server.waits == [301]


def test_a_pause_is_as_long_as_the_server_says(
    client: HttpClient, server: Loopback, hourglass: Hourglass
) -> None:
    server.say(refused(headers={"Retry-After": "17"}), OK)

    client.get("x")

    assert server.waits == [17]
    assert hourglass.announced == [
        "Forge asks for a pause (its rate limit): waiting 17 s, until 2026-09-07 12:00:17 UTC"
    ]


def test_a_pause_without_an_end_grows_until_an_answer_comes(
    client: HttpClient, server: Loopback
) -> None:
    server.say(refused(), refused(), refused(), OK, refused(), OK)

    client.get("x")
    client.get("x")

    assert server.waits == [60, 120, 240, 0, 60]


def test_an_end_that_is_past_does_not_make_us_knock_all_the_time(
    client: HttpClient, server: Loopback
) -> None:
    over = hour(timedelta(minutes=-10))
    server.say(*[refused(headers=over)] * 3, refused(429, {"Retry-After": "0"}), OK)

    client.get("x")

    assert server.waits == [1, 60, 120, 240]


def test_a_wait_that_is_too_long_is_not_begun(server: Loopback, hourglass: Hourglass) -> None:
    server.say(refused(headers=hour(TEN)), OK)

    with client_of(server, hourglass, max_wait=timedelta(minutes=5)) as client:
        for _ in range(2):  # and not tried again
            with pytest.raises(Waiting) as caught:
                client.get("x")

        assert caught.value.until == NOON + timedelta(seconds=601)
        assert str(caught.value) == (
            "Forge's limit of 5,000 requests is used up, until 2026-09-07 12:10:01 UTC: "
            "10 min to wait, and max_wait is 5 min. "
            "What was collected so far is saved, and the next collection goes on from here."
        )
        assert hourglass.slept == []
        assert len(server.asked) == 1
        client.ask(Request(address="x", resource="search"))  # the other limit stands for itself


def test_pauses_in_a_row_together_are_one_wait(server: Loopback, hourglass: Hourglass) -> None:
    server.answer = lambda _asked: refused()

    with (
        client_of(server, hourglass, max_wait=timedelta(minutes=5)) as client,
        pytest.raises(Waiting),
    ):
        client.get("x")

    assert server.waits == [60, 120]  # four minutes more would be seven together


def test_a_whole_hour_can_be_waited_for(client: HttpClient, server: Loopback) -> None:
    server.say(refused(headers=hour(timedelta(hours=1))), OK)

    client.get("x")

    assert server.waits == [3601]


def test_a_pause_holds_for_all_threads_and_is_told_once(
    client: HttpClient, server: Loopback, hourglass: Hourglass
) -> None:
    together = Barrier(6)

    def answer(asked: Asked) -> Say:
        if asked.at > NOON:
            return OK
        together.wait(10)
        return refused(headers={"Retry-After": "60"})

    server.answer = answer
    threads = [Thread(target=client.get, args=(f"{number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert len(server.asked) == 12
    assert all(asked.at >= NOON + timedelta(minutes=1) for asked in server.asked[6:])
    assert len(hourglass.announced) == 1


def test_who_waits_is_let_go_when_the_client_is_closed(
    client: HttpClient, server: Loopback, hourglass: Hourglass
) -> None:
    server.say(refused(headers=hour(TEN)))
    hourglass.before_sleep = client.close  # as somebody does who pressed Ctrl-C

    with pytest.raises(Waiting, match="the collection was stopped"):
        client.get("x")

    assert hourglass.slept == [1]
    with pytest.raises(Waiting):
        client.get("x")


def test_who_waits_is_let_go_when_the_collection_is_to_stop(
    server: Loopback, hourglass: Hourglass
) -> None:
    stopping = [False, False, True]
    policy = hourglass.policy(stop=lambda: stopping.pop(0))
    server.say(refused(headers=hour(TEN)))
    headers = SecretHeaders({"PRIVATE-TOKEN": "glpat-abc"})

    with (
        HttpClient(server.url, headers, server="Forge", policy=policy) as client,
        pytest.raises(Waiting, match="the collection was stopped"),
    ):
        client.get("x")

    assert hourglass.slept == [1]


def limiter(hourglass: Hourglass, **a_minute: int) -> RateLimiter:
    return RateLimiter(hourglass.policy(), RateLimits(a_minute=a_minute))


def test_refusals_of_what_was_under_way_together_count_as_one(hourglass: Hourglass) -> None:
    gate = limiter(hourglass)
    first, second = gate.enter("a"), gate.enter("a")

    gate.refuse(UNTOLD, "a", ticket=first)
    gate.refuse(UNTOLD, "a", ticket=second)
    gate.enter("b")

    assert hourglass.now == NOON + timedelta(seconds=60)


def test_an_answer_that_was_under_way_does_not_end_a_row_of_refusals(hourglass: Hourglass) -> None:
    gate = limiter(hourglass)
    first, second = gate.enter("a"), gate.enter("a")

    gate.refuse(UNTOLD, "a", ticket=first)
    gate.note_answer("a", None, timedelta(), ticket=second)
    gate.refuse(UNTOLD, "a", ticket=gate.enter("a"))
    gate.enter("a")

    assert hourglass.now == NOON + timedelta(seconds=60 + 120)


def test_no_more_is_asked_in_a_minute_than_the_server_likes(hourglass: Hourglass) -> None:
    gate = limiter(hourglass, a=900)

    for _ in range(900):
        gate.enter("a")
    assert hourglass.now == NOON

    gate.enter("b")  # which nobody counts
    gate.enter("a")

    assert hourglass.now == NOON + timedelta(minutes=1)
    assert hourglass.announced == []


def test_a_date_without_a_zone_is_in_utc() -> None:
    dated = response(200, {"date": "Mon, 07 Sep 2026 11:58:00"})

    assert dated.sent_at == datetime(2026, 9, 7, 11, 58, tzinfo=UTC)
