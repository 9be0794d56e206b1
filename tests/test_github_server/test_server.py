"""The simulated GitHub as a plain client meets it: tokens, limits, Apps and what is counted."""

import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from time import perf_counter
from urllib.parse import urlsplit

import pytest
from github_caller import Caller, calling
from github_server.server import SimulatedGitHub
from github_server.tokens import Rights
from github_world import MONDAY, after, busy_world
from subprocesses import PATIENCE

from vpemetrics.collectors.github.queries import PULLS

NOW = datetime(2026, 3, 9, 6, tzinfo=UTC)
SHOP = "/repos/acme/shop"
COST = "{ rateLimit { cost limit used remaining resetAt nodeCount } }"


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


def github(rights: Rights | None = None, clock: Clock | None = None) -> SimulatedGitHub:
    return SimulatedGitHub(busy_world(), rights=rights or Rights(), clock=clock or Clock())


def test_rest_and_graphql_answer_where_an_enterprise_server_has_them() -> None:
    served = github()
    with calling(served) as caller:
        assert served.url.endswith("/api/v3")
        assert caller.get(SHOP).json["full_name"] == "acme/shop"
        assert caller.query("{ viewer { login } }").json == {
            "data": {"viewer": {"login": "collector"}}
        }


@pytest.mark.parametrize("token", ["", "token ", "Basic abc", "token ghs_nobodys"])
def test_nobody_is_answered_without_a_token(token: str) -> None:
    with calling(github(), token=token) as caller:
        for got in (caller.get(SHOP), caller.query(COST), caller.get("/rate_limit")):
            assert got.status == 401
            assert got.json["message"] == "Bad credentials"


def test_only_the_tokens_named_are_taken_where_some_are() -> None:
    with github(Rights(tokens={"right"})) as served:
        for token, status in [("token right", 200), ("Bearer right", 200), ("token wrong", 401)]:
            with Caller(github=served, token=token) as caller:
                assert caller.get(SHOP).status == status


@pytest.mark.parametrize(
    ("token", "scopes"),
    [("ghp_classic", "repo, read:org"), ("gho_login", "repo, read:org"), ("github_pat_x", None)],
)
def test_only_classic_tokens_tell_their_scopes(token: str, scopes: str | None) -> None:
    with calling(github(), token=f"token {token}") as caller:
        assert caller.get(SHOP).headers.get("x-oauth-scopes") == scopes
        assert caller.query(COST).headers.get("x-oauth-scopes") == scopes


def test_every_answer_tells_of_its_own_limit() -> None:
    with calling(github()) as caller:
        caller.get(SHOP)
        rest, graphql = caller.get(SHOP).headers, caller.query(PULLS_OF_SHOP).headers

    names = ("resource", "limit", "used", "remaining", "reset")
    reset = str(int((NOW + timedelta(hours=1)).timestamp()))
    assert [rest[f"x-ratelimit-{name}"] for name in names] == ["core", "5000", "2", "4998", reset]
    assert [graphql[f"x-ratelimit-{name}"] for name in names] == [
        "graphql",
        "5000",
        "2",
        "4998",
        reset,
    ]
    assert rest["date"] == "Mon, 09 Mar 2026 06:00:00 GMT"
    assert rest["x-github-request-id"] == "5A17:000002"


PULLS_OF_SHOP = """
{
  rateLimit { cost limit used remaining resetAt nodeCount }
  repository(owner: "acme", name: "shop") {
    pullRequests(first: 100) {
      nodes {
        commits(first: 100) { nodes { commit { oid } } }
        reviews(first: 10) { nodes { state } }
      }
    }
  }
}
"""


def test_points_are_counted_as_the_query_tells_itself() -> None:
    served = github()
    with calling(served) as caller:
        told = caller.query(PULLS_OF_SHOP).json["data"]["rateLimit"]

    assert told == {
        "cost": 2,  # 201 requests within GitHub
        "limit": 5_000,
        "used": 2,
        "remaining": 4_998,
        "resetAt": "2026-03-09T07:00:00Z",
        "nodeCount": 11_100,
    }
    assert (served.requests, served.points) == (1, 2)


def test_looking_at_the_limits_is_free() -> None:
    with calling(github()) as caller:
        caller.query(COST)
        for _ in range(3):
            got = caller.get("/rate_limit").json

    assert got["rate"] == got["resources"]["core"]
    assert got["resources"]["core"]["used"] == 0
    assert got["resources"]["graphql"]["remaining"] == 4_999


def test_the_limit_of_requests_ends_with_its_hour() -> None:
    clock = Clock()
    with calling(github(Rights(requests=2), clock)) as caller:
        assert [caller.get(SHOP).status for _ in range(3)] == [200, 200, 403]
        assert caller.query(COST).status == 200
        clock.now += timedelta(minutes=59)
        assert caller.get(SHOP).headers["x-ratelimit-remaining"] == "0"
        clock.now += timedelta(minutes=1)
        assert caller.get(SHOP).headers["x-ratelimit-remaining"] == "1"


def test_the_limit_of_points_is_a_200_with_an_error() -> None:
    served = github(Rights(points=1))
    with calling(served) as caller:
        assert caller.query(COST).json["data"]["rateLimit"]["remaining"] == 0
        got = caller.query(COST)

    assert (got.status, got.headers["x-ratelimit-remaining"]) == (200, "0")
    assert got.json["errors"][0]["type"] == "RATE_LIMIT"
    assert served.points == 1


def test_every_token_has_limits_of_its_own() -> None:
    with github(Rights(requests=1)) as served:
        for token, status in [("a", 200), ("a", 403), ("b", 200)]:
            with Caller(github=served, token=f"token {token}") as caller:
                assert caller.get(SHOP).status == status


def test_what_has_not_changed_costs_nothing() -> None:
    with calling(github()) as caller:
        got = caller.get(SHOP)
        again = caller.get(SHOP, **{"If-None-Match": got.headers["etag"]})

    assert (again.status, again.content) == (304, b"")
    assert again.headers["x-ratelimit-used"] == "1"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{ viewer { age } }", "Cannot query field 'age' on type 'User'"),
        ("{ viewer { login } ", "Syntax Error: Expected Name, found <EOF>"),
    ],
)
def test_a_query_that_makes_no_sense_costs_nothing(text: str, message: str) -> None:
    with calling(github()) as caller:
        got = caller.query(text)

    assert (got.status, got.headers["x-ratelimit-used"]) == (200, "0")
    assert "data" not in got.json
    assert got.json["errors"][0]["message"].startswith(message)


def test_what_is_not_there_is_a_404() -> None:
    with calling(github()) as caller:
        assert caller.get("/nothing").status == 404
        assert caller.post("/repos/acme/shop/issues").status == 404


def test_the_world_may_change_while_it_is_served() -> None:
    world = busy_world()
    shop = world.find("acme/shop")
    assert shop is not None
    with calling(SimulatedGitHub(world)) as caller:
        before = caller.query(PULLS.text, id=shop.id, first=1).json
        shop.open_pull("Late", author=None, commits=[], at=after(100))
        later = caller.query(PULLS.text, id=shop.id, first=1).json

    titles = [each["data"]["node"]["pullRequests"]["nodes"][0]["title"] for each in (before, later)]
    assert titles == ["Given up", "Late"]


def test_several_callers_are_answered_at_once() -> None:
    with github() as served, Caller(github=served) as one, Caller(github=served) as other:
        assert one.get(SHOP).status == other.get(SHOP).status == one.get(SHOP).status == 200


# GitHub Apps


def proof(*, issued: timedelta = timedelta(), ends: timedelta = timedelta(minutes=9)) -> str:
    """An App's token as its key would sign it; the signature is not looked at."""

    def part(content: dict[str, object]) -> str:
        return urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")

    claims: dict[str, object] = {
        "iss": "123",
        "iat": (NOW + issued).timestamp(),
        "exp": (NOW + ends).timestamp(),
    }
    return f"Bearer {part({'alg': 'RS256', 'typ': 'JWT'})}.{part(claims)}.c2ln"


def test_an_app_finds_its_installations_and_gets_tokens_for_them() -> None:
    clock = Clock()
    with github(clock=clock) as served, Caller(github=served, token=proof()) as app:
        (installation,) = app.get("/app/installations").json
        assert installation["account"]["login"] == "acme"
        assert app.get("/orgs/acme/installation").json["id"] == installation["id"]
        given = app.post(f"/app/installations/{installation['id']}/access_tokens")
        assert given.status == 201
        assert given.json["expires_at"] == "2026-03-09T07:00:00Z"
        with Caller(github=served, token=f"token {given.json['token']}") as caller:
            assert caller.get(SHOP).status == 200
            assert "x-oauth-scopes" not in caller.query(COST).headers
            clock.now += timedelta(hours=1)
            assert caller.get(SHOP).status == 401


def test_installations_have_limits_of_their_own() -> None:
    world = busy_world()
    world.repository("other/tools").commit("x", author=world.account("ada"), at=MONDAY)
    with (
        SimulatedGitHub(world, rights=Rights(requests=1), clock=Clock()) as served,
        Caller(github=served, token=proof()) as app,
    ):
        numbers = [each["id"] for each in app.get("/app/installations").json]
        assert len(numbers) == 2
        for number in numbers:
            token = app.post(f"/app/installations/{number}/access_tokens").json["token"]
            with Caller(github=served, token=f"Bearer {token}") as caller:
                assert [caller.get(SHOP).status for _ in range(2)] == [200, 403]


def test_an_app_that_is_not_installed_gets_nothing() -> None:
    with calling(github(Rights(installed=())), token=proof()) as app:
        assert app.get("/app/installations").json == []
        assert app.get("/orgs/acme/installation").status == 404
        assert app.post("/app/installations/1/access_tokens").status == 404


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("token ghp_example", "could not be decoded"),
        ("Bearer a.b.c", "could not be decoded"),
        (proof(ends=timedelta(minutes=-1)), "must be a numeric value representing the future"),
        (proof(ends=timedelta(minutes=11)), "too far in the future"),
        (proof(issued=timedelta(minutes=2)), "'Issued at' claim"),
    ],
)
def test_an_app_has_to_prove_who_it_is(token: str, message: str) -> None:
    with calling(github(), token=token) as app:
        got = app.get("/app/installations")

    assert got.status == 401
    assert message in got.json["message"]


def test_a_connection_that_is_left_open_does_not_hold_up_the_end() -> None:
    with github() as served:
        connection = HTTPConnection(urlsplit(served.url).netloc)
        connection.request("GET", "/api/v3/rate_limit", headers={"Authorization": "token x"})
        assert connection.getresponse().read()
        begun = perf_counter()
    assert perf_counter() - begun < PATIENCE
    connection.close()
