"""One odd record among many: it is named, left out and asked for again, and the rest goes on."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest
from commandline import invoke
from github_collecting import Collected, collecting
from github_server.answer import Request
from github_server.faults import Fault, Faults, changed, only, status
from github_server.server import SimulatedGitHub
from github_world import NEXT_WEEK, busy_world
from lively_github import DEPLOYMENTS, Lively, between
from loopback import Asked, Hourglass, Loopback, Say, loopback

from vpemetrics.collectors.github import queries
from vpemetrics.collectors.github.client import Client, access_by_token
from vpemetrics.collectors.github.options import Incidents
from vpemetrics.collectors.github.survey import active_of
from vpemetrics.collectors.http import BadAnswer, SourceProblem
from vpemetrics.errors import FixConfiguration, VpemetricsError
from vpemetrics.records import Change, Commit, Coverage, Deployment, Incident, Repository, Run

pytestmark = pytest.mark.slow

LABELLED = Incidents(labels=("incident",))
GONE = object()


def everything(value: Any) -> Iterator[dict[str, Any]]:
    """All objects within a value of JSON."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value or ():
        if isinstance(inner, dict | list):
            yield from everything(inner)


def where(wanted: Callable[[dict[str, Any]], bool], **put: Any) -> Fault:
    """All objects of answers that are wanted have other values, or lack what is GONE."""

    def change(_request: Request, body: Any) -> Any:
        for node in everything(body):
            if wanted(node):
                node.update(put)
                for key in [key for key, value in node.items() if value is GONE]:
                    del node[key]
        return body

    return changed(change)


def is_pull(title: str) -> Callable[[dict[str, Any]], bool]:
    return lambda node: node.get("title") == title


@pytest.fixture
def clean() -> Collected:
    with collecting(busy_world(), NEXT_WEEK, incidents=LABELLED) as github:
        return github.collect()


def facts(found: Collected) -> set[tuple[str, str]]:
    return {(kind, key) for kind, key in found.records if kind != Coverage.KIND}


def collect_twice(fault: Fault, **settings: Any) -> tuple[list[str], Collected, list[str]]:
    """The records left out by a collection that meets a fault, and by the next without it."""
    faults = [fault]

    def play(request: Request, reply: Any) -> Any:
        return faults[0](request, reply) if faults else reply()

    met = Faults(always=(play,))
    with collecting(busy_world(), NEXT_WEEK, incidents=LABELLED, faults=met, **settings) as github:
        github.collect()
        first = list(github.left_out.values())
        github.collect()
        assert sorted(github.left_out.values()) == sorted(first)  # asked for again, in vain
        faults.clear()
        github.collect()
        return first, github, list(github.left_out.values())


POISONED = [
    (
        where(is_pull("Rebased"), number=GONE),
        "GitHub's answer about acme/shop#{} has no `number`",
    ),
    (
        where(is_pull("Rebased"), number="12"),
        "GitHub's answer about acme/shop#{} has a text as `number`, where a number belongs",
    ),
    (
        where(is_pull("Rebased"), mergedAt="yesterday"),
        "GitHub's answer about acme/shop#{} has no time as `mergedAt`, but 'yesterday'",
    ),
    (
        where(is_pull("Rebased"), author=[1]),
        "GitHub's answer about acme/shop#{} has a list as `author`, where an object belongs",
    ),
    (
        where(is_pull("Rebased"), additions=10**30),
        "GitHub's answer about acme/shop#{} has a number beyond all bounds for the field additions",
    ),
    (
        where(is_pull("Rebased"), commits={"nodes": "x" * 9}),
        "GitHub's answer about acme/shop#{} has a text as `nodes`, where a list belongs",
    ),
]


@pytest.mark.parametrize(("fault", "why"), POISONED)
def test_a_poisoned_pull_request_is_left_out_until_it_is_well(
    fault: Fault, why: str, clean: Collected
) -> None:
    [wanted] = [one for one in clean.of(Change).values() if one.title == "Rebased"]

    left_out, github, after = collect_twice(fault)

    assert left_out == [why.format(wanted.number)]
    assert after == []
    assert facts(github) == facts(clean)
    assert github.of(Change)[wanted.id] == wanted


def test_nothing_is_stored_of_what_was_left_out() -> None:
    faults = Faults(always=(where(is_pull("Rebased"), additions="many"),))
    with collecting(busy_world(), NEXT_WEEK, faults=faults) as github:
        github.collect()

    assert "Rebased" not in {one.title for one in github.of(Change).values()}
    assert len(github.of(Change)) == 4
    assert list(github.left_out) == [next(iter(github.left_out))]


@pytest.mark.parametrize(
    ("fault", "kind", "why"),
    [
        (
            where(lambda node: node.get("title") == "Late mails", number=GONE),
            Incident,
            "has no `number`",
        ),
        (
            where(lambda node: node.get("environment") == "staging", databaseId="7"),
            Deployment,
            "has a text as `databaseId`, where a number belongs",
        ),
        (
            where(lambda node: node.get("environment") == "staging", commitOid="HEAD\n--all"),
            Deployment,
            "has no commit as `commitOid`",
        ),
        (
            where(lambda node: str(node.get("message")).startswith("Step 3"), oid=GONE),
            Commit,
            "GitHub's answer about a commit of acme/shop has no `oid`",
        ),
        (
            where(lambda node: str(node.get("message")).startswith("Step 3"), parents=7),
            Commit,
            "has a number as `parents`, where an object belongs",
        ),
        (
            where(lambda node: node.get("nameWithOwner") == "acme/shop", nameWithOwner="../x"),
            Repository,
            "has no `owner/name` as `nameWithOwner`",
        ),
    ],
)
def test_records_of_every_kind_are_left_out_until_they_are_well(
    fault: Fault, kind: type[Any], why: str, clean: Collected
) -> None:
    left_out, github, after = collect_twice(fault)

    assert len(left_out) == 1
    assert why in left_out[0]
    assert after == []
    assert github.of(kind).keys() == clean.of(kind).keys()


def test_a_record_without_an_id_is_asked_for_again_with_its_page(clean: Collected) -> None:
    left_out, github, after = collect_twice(where(is_pull("Given up"), id=GONE, number=GONE))

    assert len(left_out) == 1
    assert after == []
    assert facts(github) == facts(clean)


def test_where_no_record_of_a_page_can_be_read_the_list_fails_and_others_do_not(
    clean: Collected,
) -> None:
    all_pulls = where(lambda node: "mergedAt" in node and "title" in node, number=GONE)
    faults = Faults(always=(all_pulls,))
    with (
        collecting(busy_world(), NEXT_WEEK, incidents=LABELLED, faults=faults) as github,
        pytest.raises(SourceProblem, match=r"acme/shop, pull requests: .* and so it is with the 4"),
    ):
        github.collect()

    assert github.left_out == {}
    assert github.of(Deployment).keys() == clean.of(Deployment).keys()


def lively() -> Lively:
    world = Lively(Random(5))
    world.live(between(NEXT_WEEK.replace(day=1), NEXT_WEEK, 60))
    return world


@pytest.mark.parametrize(
    ("put", "why"),
    [
        ({"id": GONE}, "has no `id`"),
        ({"run_attempt": 10**9}, "has 1000000000 as `run_attempt`"),
        ({"created_at": 7}, "has a number as `created_at`, where a text belongs"),
    ],
)
def test_a_poisoned_run_is_left_out_until_it_is_well(put: dict[str, Any], why: str) -> None:
    settings: dict[str, Any] = {"runs": True, "deployments": DEPLOYMENTS}
    with collecting(lively().world, NEXT_WEEK, **settings) as github:
        clean = github.collect()
    odd = sorted(int(run.id[4:].partition(".")[0]) for run in clean.of(Run).values())[0]
    faults = [where(lambda node: node.get("id") == odd and "run_attempt" in node, **put)]

    def play(request: Request, reply: Any) -> Any:
        return faults[0](request, reply) if faults else reply()

    met = Faults(always=(only(play, path="/actions"),))
    with collecting(lively().world, NEXT_WEEK, faults=met, **settings) as github:
        first = list(github.collect().left_out.values())
        second = list(github.collect().left_out.values())
        faults.clear()
        github.collect()

    assert [text.startswith("GitHub's answer about a run of acme/") for text in first] == [True]
    assert why in first[0]
    assert len(second) == 1
    assert github.left_out == {}
    assert facts(github) == facts(clean)


def test_a_total_in_words_is_the_least_that_there_are() -> None:
    def told(_request: Request, body: Any) -> Any:
        return {**body, "total_count": f"{body['total_count']}+"} if "total_count" in body else body

    settings: dict[str, Any] = {"runs": True, "deployments": DEPLOYMENTS}
    with collecting(lively().world, NEXT_WEEK, **settings) as github:
        usual = github.collect().of(Run)
    faults = Faults(always=(only(changed(told), path="/actions"),))
    with collecting(lively().world, NEXT_WEEK, faults=faults, **settings) as github:
        found = github.collect().of(Run)

    assert usual
    assert found == usual


@pytest.fixture
def hourglass() -> Hourglass:
    return Hourglass()


@pytest.fixture
def server(hourglass: Hourglass) -> Iterator[Loopback]:
    with loopback(hourglass) as running:
        yield running


@pytest.fixture
def client(server: Loopback, hourglass: Hourglass) -> Iterator[Client]:
    access = access_by_token(url=server.url, token="ghp_abc", policy=hourglass.policy())
    yield access.client("acme")
    access.close()


NESTED = b"[" * 200_000 + b"]" * 200_000


@pytest.mark.parametrize(
    ("say", "why"),
    [
        (Say(status=204, content=b""), r"answers nothing \(204\)"),
        (Say(status=200, content=b""), r"answers nothing \(200\)"),
        (Say(status=202, content=b"later"), "is no JSON"),
        (Say(content=NESTED), "nested too deeply"),
        (Say(content=b"[" * 200_000), "nested too deeply"),
        (Say(content=b"[["), "the answer was cut off"),
        (Say(json={"x": 1}), "something else than a list"),
        (Say(status=304, content=b""), "refuses it"),
        (Say(status=999, content=b""), "refuses it"),
    ],
)
def test_an_answer_that_is_none_is_named_and_concerns_nothing_else(
    client: Client, server: Loopback, say: Say, why: str
) -> None:
    server.answer = lambda _asked: say

    with pytest.raises(SourceProblem, match=why) as caught:
        list(client.pages("/repos/acme/shop/actions/workflows"))

    assert not caught.value.concerns_all
    assert len(server.asked) <= 6


@pytest.mark.parametrize(
    "body",
    [
        {"data": [1]}, {"data": "x"}, {"data": None}, {}, [], 7, {"data": None, "errors": 5},
        {"data": None, "errors": [7]}, {"errors": {}}, "x", None,
    ],
)  # fmt: skip
def test_an_answer_that_is_none_of_graphql_is_said_to_be_none(
    client: Client, server: Loopback, body: Any
) -> None:
    server.say(Say(json=body))

    with pytest.raises(BadAnswer, match=r"asking GitHub for .*has .* as `data`"):
        client.query(queries.OWNED, {"owner": "acme"})


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "9" * 25},
        {"Retry-After": "9" * 25, "x-ratelimit-remaining": "abc"},
        {"Retry-After": "²"},
        {"Retry-After": "-1"},
        {"Retry-After": "Wed, 99 Foo 99999999999999999999 99:99:99 GMT"},
        {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "9" * 40},
        {"x-ratelimit-remaining": "abc", "x-ratelimit-limit": "1e999", "x-ratelimit-reset": "-1"},
        {"Date": "Fri, 31 Dec 9999 23:59:59 GMT", "x-ratelimit-remaining": "0",
         "x-ratelimit-limit": "5", "x-ratelimit-reset": "60"},
        {"Link": '<http://[>; rel="next"', "Content-Type": "\x00"},
        {"x-github-sso": "required; url="},
        {"Location": "http://[", "Content-Encoding": "br, gzip, zstd"},
    ],
)  # fmt: skip
@pytest.mark.parametrize("status", [200, 301, 403, 429])
def test_odd_headers_are_no_bug(
    client: Client, server: Loopback, headers: dict[str, str], status: int
) -> None:
    server.answer = lambda _asked: Say(status=status, json=[], headers=headers)

    with suppress(VpemetricsError):
        list(client.pages("/repos/acme/shop/issues"))

    assert server.asked


def test_a_wait_that_never_ends_is_told_with_its_date(
    client: Client, server: Loopback, hourglass: Hourglass
) -> None:
    server.say(Say(status=429, json={}, headers={"Retry-After": "9" * 25}))

    with pytest.raises(SourceProblem, match="until 2027-09-08 12:00:00 UTC: 8784 h to wait"):
        client.get("/x")

    assert hourglass.slept == []


@pytest.mark.parametrize("content_type", ["text/html", "application/json", "text/plain"])
def test_a_web_page_is_told_at_once(client: Client, server: Loopback, content_type: str) -> None:
    page = b"\n<!DOCTYPE html><html><body>Log in</body></html>"
    server.say(Say(content=page, headers={"Content-Type": content_type}))

    with pytest.raises(FixConfiguration, match="a web page answers"):
        client.get("/x")

    assert len(server.asked) == 1


@pytest.mark.parametrize("number", [204, 422, 418])
def test_an_odd_status_of_one_list_keeps_no_other_from_being_read(number: int) -> None:
    odd = only(status(number), path="/actions")
    settings: dict[str, Any] = {"runs": True}
    with (
        collecting(lively().world, NEXT_WEEK, faults=Faults(always=(odd,)), **settings) as github,
        pytest.raises(SourceProblem) as caught,
    ):
        github.collect()

    assert {
        line.partition(", ")[2].partition(":")[0] for line in str(caught.value).split("\n")
    } == {"runs"}
    assert len(github.of(Repository)) == 3


@pytest.mark.parametrize("ring", [1, 2, 3])
def test_a_list_that_leads_back_ends(client: Client, server: Loopback, ring: int) -> None:
    def answer(asked: Asked) -> Say:
        after = int(asked.body["variables"]["after"] or 0)
        info = {"hasNextPage": True, "endCursor": str((after + 1) % ring)}
        owned = {"nodes": [], "pageInfo": info}
        return Say(json={"data": {"repositoryOwner": {"repositories": owned}}})

    server.answer = answer

    with pytest.raises(SourceProblem, match="the same page of a list again and again"):
        active_of(client, "acme", NEXT_WEEK)


def test_what_is_left_out_is_told_by_collect_and_by_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "token").write_text("ghp_abc")
    faults = [where(is_pull("Rebased"), number=GONE)]

    def play(request: Request, reply: Any) -> Any:
        return faults[0](request, reply) if faults else reply()

    with SimulatedGitHub(busy_world(), faults=Faults(always=(play,))) as github:
        (tmp_path / "vpemetrics.toml").write_text(
            f'[sources.forge]\ntype = "github"\nurl = "{github.url}"\ntoken = "file:token"\n'
            'repositories = ["acme/*"]\nruns = false\nsince = 2026-01-01\n'
        )
        told = invoke("collect", "--config", "vpemetrics.toml")
        shown = invoke("status", "--json", "--config", "vpemetrics.toml")
        faults.clear()
        later = invoke("collect", "--config", "vpemetrics.toml")
        after = invoke("status", "--json", "--config", "vpemetrics.toml")

    [why] = json.loads(shown.stdout)["sources"][0]["left_out"].values()
    assert re.fullmatch(r"GitHub's answer about acme/shop#\d+ has no `number`", why)
    assert told.exit_code == 0
    assert f"forge: left out 1 record until it can be read: {why}" in " ".join(told.stderr.split())
    assert later.exit_code == 0
    assert "left out" not in later.stderr
    assert json.loads(after.stdout)["sources"][0]["left_out"] == {}
