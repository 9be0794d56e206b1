"""Everything that goes wrong at GitHub on demand, as a plain client sees it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPException, IncompleteRead
from time import perf_counter
from typing import Any

import pytest
from github_caller import Caller, Got, calling
from github_server import faults
from github_server.faults import Fault, Faults
from github_server.server import SimulatedGitHub
from github_server.world import World
from github_world import busy_world
from subprocesses import PATIENCE

NOW = datetime(2026, 3, 9, 6, tzinfo=UTC)
SHOP = "/repos/acme/shop"
LIST = f"{SHOP}/pulls?state=all&per_page=2"
PULLS = """
query ($first: Int = 2, $after: String) {
  rateLimit { cost }
  repository(owner: "acme", name: "shop") {
    pullRequests(first: $first, after: $after) {
      pageInfo { endCursor hasNextPage }
      nodes { number commits(first: 5) { nodes { commit { oid } } } }
    }
  }
}
"""


def github(given: Faults, world: World | None = None) -> SimulatedGitHub:
    return SimulatedGitHub(world or busy_world(), faults=given, clock=lambda: NOW)


def rest(fault: Fault) -> Got:
    """What REST answers when the fault strikes; the next request is answered honestly."""
    with calling(github(Faults(planned={1: fault}))) as caller:
        got = caller.get(SHOP)
        assert caller.get(SHOP).json["full_name"] == "acme/shop"
    return got


def graphql(fault: Fault) -> Got:
    """What GraphQL answers when the fault strikes; the next query is answered honestly."""
    with calling(github(Faults(planned={1: fault}))) as caller:
        got = caller.query(PULLS)
        assert numbers(caller.query(PULLS)) == [3, 4]
    return got


def numbers(got: Got) -> list[int]:
    return [pull["number"] for pull in got.json["data"]["repository"]["pullRequests"]["nodes"]]


def test_the_primary_limit_of_rest_is_a_403_that_tells_when_it_resets() -> None:
    got = rest(faults.primary_limit(wait=90))

    assert got.status == 403
    assert got.json["message"].startswith("API rate limit exceeded")
    assert got.headers["x-ratelimit-remaining"] == "0"
    assert int(got.headers["x-ratelimit-reset"]) == NOW.timestamp() + 90
    assert "retry-after" not in got.headers


@pytest.mark.parametrize("kind", ["RATE_LIMIT", "RATE_LIMITED"])
def test_the_primary_limit_of_graphql_is_a_200_with_an_error(kind: str) -> None:
    got = graphql(faults.primary_limit(wait=90, kind=kind))

    assert got.status == 200
    assert got.headers["x-ratelimit-remaining"] == "0"
    assert "data" not in got.json
    assert got.json["errors"][0]["type"] == kind
    assert got.json["errors"][0]["message"].startswith("API rate limit exceeded")


def test_a_secondary_limit_tells_how_long_to_wait() -> None:
    got = rest(faults.secondary_limit(retry_after=7))

    assert (got.status, got.headers["retry-after"]) == (403, "7")
    assert "secondary rate limit" in got.json["message"]
    assert got.headers.get("x-ratelimit-remaining") != "0"


def test_a_secondary_limit_may_be_a_429_that_does_not_tell() -> None:
    got = rest(faults.secondary_limit(retry_after=None, status=429))

    assert got.status == 429
    assert "retry-after" not in got.headers


@pytest.mark.parametrize("status", [200, 403])
def test_a_secondary_limit_of_graphql_has_either_status(status: int) -> None:
    got = graphql(faults.secondary_limit(status=status))

    assert got.status == status
    assert got.headers["retry-after"] == "60"
    assert b"secondary rate limit" in got.content


def test_too_many_requests_within_a_minute_meet_the_secondary_limit() -> None:
    clock = [NOW]
    given = Faults(always=(faults.Crowded(requests=3, queries=1, wait=30),))
    with calling(SimulatedGitHub(busy_world(), faults=given, clock=lambda: clock[0])) as caller:
        assert [caller.get(SHOP).status for _ in range(4)] == [200, 200, 200, 403]
        assert [caller.query(PULLS).status for _ in range(2)] == [200, 403]
        assert caller.get(SHOP).headers["retry-after"] == "30"
        clock[0] += timedelta(minutes=1)
        assert caller.get(SHOP).status == 200


def test_too_many_requests_at_once_meet_the_secondary_limit() -> None:
    crowded = faults.Crowded(at_once=2)
    given = Faults(planned=dict.fromkeys((1, 2, 3), faults.slow(seconds=0.3)), always=(crowded,))
    with github(given) as served, ThreadPoolExecutor(3) as pool:
        found = sorted(pool.map(lambda _: status(served), range(3)))

    assert found == [200, 200, 403]
    assert crowded.most_at_once == 3


def status(served: SimulatedGitHub) -> int:
    with Caller(github=served) as caller:
        return caller.get(SHOP).status


def test_a_gateway_answers_with_json_or_with_a_page() -> None:
    told, page = graphql(faults.bad_gateway()), graphql(faults.bad_gateway(status=504, page=True))

    assert (told.status, told.json["data"]) == (502, None)
    assert "Something went wrong while executing your query" in told.json["errors"][0]["message"]
    assert (page.status, page.headers["content-type"]) == (504, "text/html")
    assert page.content.startswith(b"<html>")
    assert rest(faults.bad_gateway()).status == 502


def test_something_goes_wrong_with_status_200_in_graphql_and_500_in_rest() -> None:
    got = graphql(faults.went_wrong)

    assert (got.status, got.json["data"]) == (200, None)
    assert got.headers["x-github-request-id"] == "5A17:000001"
    assert "`5A17:000001`" in got.json["errors"][0]["message"]
    assert rest(faults.went_wrong).status == 500


def test_heavy_queries_fail_and_smaller_pages_of_them_do_not() -> None:
    with calling(github(Faults(always=(faults.heavy(nodes=300),)))) as caller:
        assert caller.query(PULLS, first=100).status == 502  # 100 + 500 nodes
        assert caller.query(PULLS, first=50).status == 200
        assert caller.get(SHOP).status == 200


@pytest.mark.parametrize("after", [0, 5])
def test_a_connection_is_cut_before_the_answer(after: int) -> None:
    with pytest.raises((HTTPException, ConnectionError)):
        rest(faults.cut(after=after))


def test_a_connection_that_is_cut_among_the_headers_looks_like_an_empty_answer() -> None:
    with calling(github(Faults(always=(faults.cut(after=60),)))) as caller:
        got = caller.get(SHOP)

    assert (got.status, got.content) == (200, b"")


def test_a_connection_is_cut_within_the_answer() -> None:
    with pytest.raises(IncompleteRead):
        rest(faults.cut(after=900))


def test_after_a_cut_a_new_connection_is_answered() -> None:
    with calling(github(Faults(planned={1: faults.cut()}))) as caller:
        with pytest.raises((HTTPException, ConnectionError)):
            caller.get(SHOP)
        caller.connection.close()
        assert caller.get(SHOP).status == 200


def test_an_answer_is_slow() -> None:
    begun = perf_counter()
    got = graphql(faults.slow(seconds=0.2))

    assert got.status == 200
    assert perf_counter() - begun >= 0.2


def test_a_slow_answer_does_not_hold_up_the_end_of_the_server() -> None:
    with github(Faults(always=(faults.slow(seconds=10 * PATIENCE),))) as served:
        with Caller(github=served) as caller:
            caller.connection.timeout = 0.1
            with pytest.raises(TimeoutError):
                caller.get(SHOP)
        begun = perf_counter()
    assert perf_counter() - begun < PATIENCE


def test_an_item_of_a_page_is_missing_and_the_others_are_there() -> None:
    got = graphql(faults.partial())

    (error,) = got.json["errors"]
    assert error["type"] == "RESOURCE_LIMITS_EXCEEDED"
    *_, key, place = error["path"]
    assert key == "nodes"
    nodes = got.json["data"]["repository"]["pullRequests"]["nodes"]
    assert [node is None for node in nodes] == [at == place for at in (0, 1)]


def test_an_item_within_an_item_is_missing() -> None:
    got = graphql(faults.partial(kind="FORBIDDEN", message="No.", nested=True))

    (error,) = got.json["errors"]
    assert (error["type"], error["message"]) == ("FORBIDDEN", "No.")
    found: Any = got.json["data"]
    for step in error["path"]:
        found = found[step]
    assert found is None
    assert len(error["path"]) > 4
    assert numbers(got) == [3, 4]


def test_an_answer_without_lists_stays_whole() -> None:
    with calling(github(Faults(always=(faults.partial(),)))) as caller:
        got = caller.query('{ repository(owner: "acme", name: "shop") { name } }')

    assert got.json == {"data": {"repository": {"name": "shop"}}}


def test_rest_moves_to_another_address() -> None:
    got = rest(faults.moved(to="/repositories/7"))

    assert got.status == 301
    assert got.headers["location"].endswith("/api/v3/repositories/7")
    assert got.headers["location"].startswith("http://127.0.0.1:")


def test_a_token_is_not_taken_any_more() -> None:
    assert rest(faults.bad_credentials).status == 401
    assert graphql(faults.bad_credentials).json["message"] == "Bad credentials"


def test_an_organisation_wants_the_token_authorized() -> None:
    told, asked = rest(faults.saml(organization="acme")), graphql(faults.saml(organization="acme"))

    assert told.status == 403
    assert "SAML" in told.json["message"]
    assert "/orgs/acme/sso" in told.headers["x-github-sso"]
    assert asked.status == 200
    assert asked.headers["x-github-sso"].startswith("required; url=https://github.com/orgs/acme/")
    assert asked.json["data"] == {"rateLimit": {"cost": 1}, "repository": None}
    (error,) = asked.json["errors"]
    assert (error["type"], error["path"]) == ("FORBIDDEN", ["repository"])
    assert error["extensions"] == {"saml_failure": True}


def test_what_is_asked_for_is_not_there() -> None:
    assert rest(faults.not_found).status == 404
    assert graphql(faults.not_found).json["errors"][0]["type"] == "NOT_FOUND"


def test_the_world_changes_between_two_pages() -> None:
    world = busy_world()
    shop = world.find("acme/shop")
    assert shop is not None
    given = Faults(planned={1: faults.then(lambda: world.rename(shop, "acme/store"))})
    with calling(github(given, world)) as caller:
        assert caller.get(SHOP).json["full_name"] == "acme/shop"
        assert caller.get(SHOP).status == 301


def test_pages_overlap_in_graphql() -> None:
    with calling(github(Faults(always=(faults.overlapping(),)))) as caller:
        first = caller.query(PULLS)
        cursor = first.json["data"]["repository"]["pullRequests"]["pageInfo"]["endCursor"]
        assert (numbers(first), numbers(caller.query(PULLS, after=cursor))) == ([3, 4], [4, 5, 6])
        assert numbers(caller.query(PULLS)) == [3, 4]


def test_pages_overlap_in_rest() -> None:
    with calling(github(Faults(always=(faults.overlapping(),)))) as caller:
        pages = [
            [pull["number"] for pull in caller.get(f"{LIST}&page={page}").json]
            for page in (1, 2, 3)
        ]

    assert pages == [[7, 6], [6, 5, 4], [4, 3]]


def test_githubs_clock_is_ahead_of_ours() -> None:
    with calling(github(Faults(skew=timedelta(minutes=5)))) as caller:
        got = caller.get(SHOP)

    assert parsedate_to_datetime(got.headers["date"]) == NOW + timedelta(minutes=5)
    reset = datetime.fromtimestamp(int(got.headers["x-ratelimit-reset"]), UTC)
    assert reset == NOW + timedelta(hours=1, minutes=5)


def test_a_fault_may_be_kept_to_some_addresses() -> None:
    given = Faults(always=(faults.only(faults.not_found, path="/pulls"),))
    with calling(github(given)) as caller:
        assert caller.get(SHOP).status == 200
        assert caller.get(LIST).status == 404


def test_faults_are_drawn_alike_for_the_same_seed() -> None:
    kinds = (faults.bad_gateway(), faults.secondary_limit(), faults.not_found)

    def statuses(seed: int) -> list[int]:
        with calling(github(Faults(kinds=kinds, chance=0.3, seed=seed))) as caller:
            return [caller.get(SHOP).status for _ in range(60)]

    first = statuses(1)
    assert first == statuses(1)
    assert first != statuses(2)
    assert set(first) == {200, 403, 404, 502}
    assert 8 <= 60 - first.count(200) <= 30


def test_what_a_fault_answers_is_counted_as_a_request() -> None:
    served = github(Faults(planned={1: faults.bad_gateway()}))
    with calling(served) as caller:
        caller.get(SHOP)
        caller.query(PULLS)

    assert [request.path for request in served.log] == [SHOP, "/graphql"]
    assert served.points == 1
