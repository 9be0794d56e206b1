"""What the client makes of answers, failures and moves: on loopback, without real waits."""

import gzip
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from threading import Event, Thread

import pytest
from loopback import Asked, Hourglass, Loopback, Say, ServerSettings
from subprocesses import PATIENCE

from vpemetrics.collectors.base import CollectionContext
from vpemetrics.collectors.http import (
    BadCredentials,
    Budget,
    BudgetExhausted,
    Forbidden,
    Gone,
    HttpClient,
    Request,
    SecretHeaders,
    SourceProblem,
    TooHeavy,
    Unreachable,
    WaitPolicy,
    connect,
)
from vpemetrics.errors import FixConfiguration

SHOP = "/api/v3/projects/7"
OK = Say(json={"name": "shop"})


def client_of(url: str, policy: WaitPolicy, budget: Budget | None = None) -> HttpClient:
    headers = SecretHeaders({"PRIVATE-TOKEN": "glpat-abc"})
    return HttpClient(url, headers, server="Forge", policy=policy, budget=budget)


def test_an_answer_is_what_the_server_said(client: HttpClient, server: Loopback) -> None:
    server.say(OK)
    parameters = {"page": 5, "all": True, "in": ["a", "b"], "no": None}

    assert client.get("projects/7", parameters) == {"name": "shop"}
    (asked,) = server.asked
    assert asked.path == f"{SHOP}?page=5&all=true&in=a&in=b"
    assert asked.headers["PRIVATE-TOKEN"] == "glpat-abc"
    assert asked.headers["Accept"] == "application/json"
    assert asked.headers["User-Agent"].startswith("vpemetrics/")


def test_a_path_may_begin_with_a_slash_or_be_a_url_of_the_server(
    client: HttpClient, server: Loopback
) -> None:
    server.say(OK, OK, OK)

    for address in ("projects/7", "/projects/7", f"{server.url}/projects/7"):
        client.get(address)

    assert server.paths == [SHOP] * 3


@pytest.mark.parametrize(
    ("status", "problem"),
    [
        (400, SourceProblem),
        (401, BadCredentials),
        (403, Forbidden),
        (404, Gone),
        (410, Gone),
        (422, SourceProblem),
        (451, Forbidden),
    ],
)
@pytest.mark.parametrize(
    "body",
    [
        {"message": "Because  of\nthis"},
        {"message": ["Because of", "this"]},
        {"error": "Because of this"},
        {"error": {"message": "Because of this", "code": 2010}},  # PagerDuty
    ],
)
def test_a_refusal_is_told_with_what_was_asked_and_what_the_server_said(
    client: HttpClient,
    server: Loopback,
    status: int,
    problem: type[SourceProblem],
    body: dict[str, object],
) -> None:
    server.say(Say(status=status, json=body))

    with pytest.raises(
        problem, match=r"asking Forge for projects/7: .*Because of;? this"
    ) as caught:
        client.get("projects/7", {"q": "1"})

    assert type(caught.value) is problem
    assert len(server.asked) == 1


def test_what_may_be_missing_is_no_problem(client: HttpClient, server: Loopback) -> None:
    server.say(Say(status=404, json={"message": "Not Found"}))

    assert client.ask(Request(address="x", may_be_missing=True)).status == 404


@pytest.mark.parametrize("status", [200, 404, 403])
def test_a_web_page_in_the_place_of_the_interface_is_a_mistake_in_the_address(
    client: HttpClient, server: Loopback, status: int
) -> None:
    server.say(Say(status=status, content=b"<html>", headers={"Content-Type": "text/html"}))

    with pytest.raises(FixConfiguration, match=r"url: a web page answers .*Forge's interface"):
        client.get("x")


def test_what_has_moved_is_followed_with_its_parameters(
    client: HttpClient, server: Loopback
) -> None:
    server.say(
        Say(status=301, headers={"Location": f"{server.url}/projects/7/runs"}),
        Say(status=302, headers={"Location": "/api/v3/projects/8/runs?page=4"}),
        OK,
    )

    client.get("projects/old/runs", {"page": 3})

    assert server.paths == [
        "/api/v3/projects/old/runs?page=3",
        "/api/v3/projects/7/runs?page=3",
        "/api/v3/projects/8/runs?page=4",
    ]


@pytest.mark.parametrize(
    "elsewhere", ["http://localhost:1/x", "https://127.0.0.1/x", "//elsewhere.example/x"]
)
def test_the_token_does_not_follow_to_another_host(
    client: HttpClient, server: Loopback, elsewhere: str
) -> None:
    server.say(Say(status=301, headers={"Location": elsewhere}))

    with pytest.raises(FixConfiguration, match="another server, where the token is not sent"):
        client.get("x")


def test_the_token_does_not_follow_a_link_to_another_host(
    client: HttpClient, server: Loopback
) -> None:
    link = '<http://localhost:1/api/v3/x?page=2>; rel="next"'
    server.say(Say(json=[{"id": 1}], headers={"Link": link}))

    with pytest.raises(FixConfiguration, match="another server, where the token is not sent"):
        list(client.pages("x"))


def test_moves_without_an_end_are_given_up(client: HttpClient, server: Loopback) -> None:
    server.answer = lambda _asked: Say(status=301, headers={"Location": f"{server.url}/x"})

    with pytest.raises(SourceProblem, match=r"asking Forge for .*: Forge sends us in a circle"):
        client.get("x")


def test_a_server_that_goes_on_failing_is_given_up(
    client: HttpClient, server: Loopback, hourglass: Hourglass
) -> None:
    server.answer = lambda _asked: Say(status=502)

    with pytest.raises(TooHeavy, match=r"x: Forge failed \(502\)"):
        client.get("x")

    assert len(server.asked) == client.requests == 6
    assert hourglass.slept == [0.5, 1.0, 2.0, 4.0, 8.0]


def test_who_can_ask_for_less_is_told_at_once_that_it_is_too_much(
    client: HttpClient, server: Loopback, hourglass: Hourglass
) -> None:
    server.say(Say(status=504))

    with pytest.raises(TooHeavy):
        client.ask(Request(address="x"), halves=True)

    assert hourglass.slept == []


@pytest.mark.parametrize(
    "broken",
    [
        Say(json={"name": "x" * 2000}, cut=True),
        Say(content=b'{"name": '),
        Say(json=[1, 2], cut=True),
        Say(content=b"\x1f\x8b broken", headers={"Content-Encoding": "gzip"}),
    ],
)
def test_a_cut_answer_is_asked_for_again(client: HttpClient, server: Loopback, broken: Say) -> None:
    server.say(broken, broken, OK)

    assert client.get("projects/7") == {"name": "shop"}
    assert server.paths == [SHOP] * 3


def test_a_connection_that_fails_again_and_again_says_where_and_why(hourglass: Hourglass) -> None:
    client = client_of("http://127.0.0.1:9/api", hourglass.policy())

    with pytest.raises(Unreachable, match=r"x: 127.0.0.1:9 cannot be reached: Connection refused"):
        client.get("x")

    assert hourglass.slept == [0.5, 1.0, 2.0, 4.0, 8.0]


def test_a_slow_answer_is_not_waited_for_for_ever(server: Loopback, hourglass: Hourglass) -> None:
    # The socket's clock is the real one: it has to be a short time.
    policy = hourglass.policy(answer_time=timedelta(milliseconds=300))
    late = Event()
    server.answer = lambda _asked: OK if len(server.asked) > 1 else replace(OK, held=late)

    try:
        with client_of(server.url, policy) as client:
            assert client.get("x") == {"name": "shop"}
    finally:
        late.set()


@pytest.mark.parametrize(
    "dripping",
    [
        Say(json="x" * 10_000, drip=0.01),
        Say(json={}, drip=0.01, drip_headers=True),
        Say(json="x" * 10_000, drip=0.01, headers={"Transfer-Encoding": "chunked"}),
    ],
)
def test_an_answer_that_drips_is_given_up_and_not_asked_for_again(
    server: Loopback, hourglass: Hourglass, dripping: Say
) -> None:
    policy = hourglass.policy(total_time=timedelta(milliseconds=200))
    server.say(dripping)

    with (
        client_of(server.url, policy) as client,
        pytest.raises(TooHeavy, match=r"the answer did not end within 0\.2 s, so it is given up"),
    ):
        client.get("x")

    assert hourglass.slept == []


def test_an_answer_without_an_end_is_given_up_however_small_it_is_packed(
    client: HttpClient, server: Loopback, hourglass: Hourglass
) -> None:
    bomb = gzip.compress(b"0" * (65 * 2**20), compresslevel=1)
    server.say(Say(content=bomb, headers={"Content-Encoding": "gzip"}))

    with pytest.raises(TooHeavy, match="the answer is larger than 64 MiB, so it is given up"):
        client.get("x")

    assert len(bomb) < 2**20
    assert hourglass.slept == []


def test_threads_get_their_own_answers(client: HttpClient, server: Loopback) -> None:
    server.answer = lambda asked: Say(json=asked.path)
    got: dict[int, set[str]] = {}

    def ask(number: int) -> None:
        got[number] = {client.get(f"{number}") for _ in range(20)}

    threads = [Thread(target=ask, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert got == {number: {f"/api/v3/{number}"} for number in range(12)}
    assert client.requests == 240


def test_no_more_than_eight_requests_are_under_way_at_once(
    client: HttpClient, server: Loopback
) -> None:
    eight, more = Event(), Event()

    def count(_asked: Asked) -> Say:
        (eight if len(server.asked) == 8 else more if len(server.asked) > 8 else Event()).set()
        return Say(json={}, held=more if len(server.asked) <= 8 else None)

    server.answer = count
    threads = [Thread(target=client.get, args=(f"{number}",)) for number in range(12)]
    for thread in threads:
        thread.start()

    assert eight.wait(10)
    assert not more.wait(0.1)
    more.set()
    for thread in threads:
        thread.join(20)
    assert len(server.asked) == 12


class Renewed:
    """A token that is made anew when somebody says so."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self) -> dict[str, str]:
        return {"Authorization": f"Bearer t{self.made}"}

    def renew(self) -> None:
        self.made += 1


def test_a_refused_token_is_made_anew_once(server: Loopback, hourglass: Hourglass) -> None:
    token = Renewed()
    refused = Say(status=401, json={})
    with HttpClient(
        server.url, token, server="Forge", policy=hourglass.policy(), renew=token.renew
    ) as client:
        server.say(refused, OK, refused, refused)

        assert client.get("x") == {"name": "shop"}
        with pytest.raises(BadCredentials):
            client.get("x")

    assert token.made == 2
    assert server.asked[1].headers["Authorization"] == "Bearer t1"


def test_nothing_is_asked_beyond_the_budget(server: Loopback, hourglass: Hourglass) -> None:
    budget = Budget(3)
    server.say(OK, Say(status=502), OK)

    with client_of(server.url, hourglass.policy(), budget) as client:
        client.get("x")
        client.get("x")  # tried twice
        with pytest.raises(BudgetExhausted):
            client.get("x")

    assert budget.requests == 3
    assert budget.is_reached


def test_nothing_is_asked_once_the_budget_is_stopped(
    server: Loopback, hourglass: Hourglass
) -> None:
    budget = Budget()
    budget.stop()

    with (
        client_of(server.url, hourglass.policy(), budget) as client,
        pytest.raises(BudgetExhausted),
    ):
        client.get("x")

    assert not budget.is_reached


def test_a_source_connects_with_a_token_and_a_context(server: Loopback) -> None:
    context = CollectionContext(
        source="forge", now=server.hourglass.now, secret={"env:TOKEN": "abc"}.__getitem__
    )
    settings = ServerSettings(url=server.url, token="env:TOKEN")
    server.say(OK)

    with connect(settings, context, server="Forge", scheme="Bearer") as client:
        client.get("x")

    assert server.asked[0].headers["Authorization"] == "Bearer abc"


@pytest.mark.parametrize(
    ("url", "token", "said"),
    [
        ("http://forge.acme.com/api", "abc", "url: .* has to begin with https"),
        ("ftp://127.0.0.1", "abc", "url: .* has to begin with https"),
        ("http://127.0.0.1.acme.com", "abc", "url: .* has to begin with https"),
        ("https://forge.acme.com/?x=1", "abc", "url: wants an address and nothing else"),
        ("https://ann:hunter2@forge.acme.com", "abc", "url: wants an address and nothing else"),
        ("forge.acme.com", "abc", "url: wants an address and nothing else, as https://forge."),
        ("https://forge.acme.com", "hunter2 b", "token: what it names is no token"),
        ("https://forge.acme.com", "hunter2\n", "token: what it names is no token"),
        ("https://forge.acme.com", "", "token: what it names is no token"),
    ],
)
def test_an_address_or_a_token_that_cannot_be_right_is_refused_and_no_secret_repeated(
    hourglass: Hourglass, url: str, token: str, said: str
) -> None:
    context = CollectionContext(source="forge", now=hourglass.now, secret=lambda _: token)

    with pytest.raises(FixConfiguration, match=said) as caught:
        connect(ServerSettings(url=url), context, server="Forge")

    assert "hunter2" not in str(caught.value)


def test_the_package_loads_no_library_before_a_client_is_made() -> None:
    code = (
        "import sys\n"
        "from vpemetrics.collectors import http\n"
        "assert not {'requests', 'urllib3'} & set(sys.modules)\n"
        "http.HttpClient('https://a.example', dict, server='A')\n"
        "assert 'requests' in sys.modules\n"
    )

    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE, check=False
    )

    assert run.stderr == ""
