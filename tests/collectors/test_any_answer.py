"""Answers of servers with something odd in them, whatever it is: no bug, and what is said of it."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from functools import cache
from random import Random
from typing import Any, Final

import pytest
from github_collecting import Collected, collecting
from github_nodes import NAMING
from github_server.answer import Request
from github_server.faults import Faults, changed
from github_world import NEXT_WEEK, busy_world
from hypothesis import given
from hypothesis import strategies as st
from lively_github import DEPLOYMENTS, INCIDENTS, Lively, between
from loopback import Hourglass, Loopback, Say, loopback
from mutations import ODD, mutated
from tiers import law

from vpemetrics.collectors import gitlab, pagerduty
from vpemetrics.collectors.git.commits import GitAuthors
from vpemetrics.collectors.github.client import access_by_token
from vpemetrics.collectors.github.credentials import parse_installation
from vpemetrics.collectors.github.deployment_builder import (
    build_deployment,
    build_job_deployment,
    build_release_deployment,
    build_run,
    build_run_deployment,
    build_tag_deployment,
    parse_tag,
)
from vpemetrics.collectors.github.graphql_result import read_result
from vpemetrics.collectors.github.options import Rule
from vpemetrics.collectors.github.queries import OWNED
from vpemetrics.collectors.github.record_builder import build_change, build_commit, build_incident
from vpemetrics.collectors.github.repository import check_probe
from vpemetrics.collectors.gitops.manifests import Unreadable, parse_place, versions
from vpemetrics.collectors.http import Malformed, Response, as_object, check_record, read_shape
from vpemetrics.collectors.http.errors import BadAnswer
from vpemetrics.collectors.marks import MARKS_OF
from vpemetrics.errors import VpemetricsError
from vpemetrics.records import AnyRecord
from vpemetrics.rules import Rules

SEEDS = st.integers(0, 2**64)
AUTHORS: Final = GitAuthors(Rules())
RELEASES: Final = Rule(kind="releases", tags=("*",))
SETTINGS: Final[dict[str, Any]] = {
    "runs": True,
    "deployments": (*DEPLOYMENTS, Rule(kind="releases")),
    "incidents": INCIDENTS,
}
JOBS: Final = Rule(kind="workflow", workflow="Deploy", job=r"deploy (?P<service>\w+)")

Build = Callable[[Any], Any]


def lively() -> Lively:
    world = Lively(Random(5))
    world.live(between(NEXT_WEEK.replace(day=1), NEXT_WEEK, 60))
    return world


@cache
def answers() -> list[Any]:
    """The bodies of all answers to two collections."""
    bodies: list[Any] = []

    def keep(_request: Request, body: Any) -> Any:
        bodies.append(body)
        return body

    faults = Faults(always=(changed(keep),))
    for world in (busy_world(), lively().world):
        with collecting(world, NEXT_WEEK, faults=faults, **SETTINGS) as github:
            github.collect()
    found: list[Any] = json.loads(json.dumps(bodies))
    return found


@cache
def nodes(*keys: str) -> list[Any]:
    """The things in answers that have all of these keys."""
    found = [node for node in _objects(answers()) if all(key in node for key in keys)]
    assert found, keys
    return found


def _objects(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield value
    inner: Iterable[Any] = value.values() if isinstance(value, dict) else value
    for item in inner if isinstance(value, dict | list) else ():
        yield from _objects(item)


def _tag(node: Any) -> AnyRecord | None:
    tag = parse_tag(node)
    return build_tag_deployment(tag, Rule(kind="tags"), NAMING) if tag else None


BUILDERS: Final[dict[str, tuple[tuple[str, ...], Build]]] = {
    "pull request": (
        ("mergedAt", "timelineItems"), lambda node: build_change(node, NAMING).change
    ),
    "incident": (
        ("labels", "comments"), lambda node: build_incident(node, ["incident"], NAMING, ("shop",))
    ),
    "deployment": (("statuses",), lambda node: build_deployment(node, Rule(), NAMING)),
    "release": (
        ("tagName", "isDraft"), lambda node: build_release_deployment(node, RELEASES, NAMING)
    ),
    "tag": (("name", "target"), _tag),
    "commit": (("oid", "parents"), lambda node: build_commit(node, "acme/shop", AUTHORS)),
    "run": (("run_attempt",), lambda node: build_run(node, NAMING)),
    "deploying run": (("run_attempt",), lambda node: build_run_deployment(node, JOBS, NAMING)),
    "job": (("run_id", "name"), lambda node: build_job_deployment(node, {}, JOBS, NAMING)),
}  # fmt: skip


@law(150, soak=40_000)
@given(SEEDS, st.sampled_from(sorted(BUILDERS)))
def test_any_thing_of_github_is_a_record_or_is_told_to_be_none(seed: int, kind: str) -> None:
    random = Random(seed)
    keys, build = BUILDERS[kind]
    node = random.choice(nodes(*keys))
    for _ in range(random.choice((1, 1, 1, 2, 5))):
        node = mutated(node, random)

    with suppress(Malformed):  # and no KeyError, TypeError or the like
        if record := build(as_object(node, "it")):
            check_record(record)


@law(100, soak=10_000)
@given(SEEDS)
def test_any_answer_of_graphql_is_read_or_told_to_be_none(seed: int) -> None:
    random = Random(seed)
    body = mutated(random.choice(answers()), random)
    response = Response(status=200, headers={}, content=json.dumps(body).encode())

    if isinstance(body, dict) and isinstance(body.get("data"), dict):
        assert read_result(response).points is not None
    for node in _objects(body):
        if "nameWithOwner" in node:
            with suppress(Malformed):
                assert "/" in check_probe(node)["nameWithOwner"]


MOMENT: Final = "2026-03-02T09:00:00Z"
COMMIT: Final = {
    "id": "4f2c9e1" + "0" * 33, "parent_ids": ["0" * 40], "authored_date": MOMENT,
    "committed_date": MOMENT, "author_email": "ada@example.com", "message": "Add",
}  # fmt: skip
MERGE_REQUEST: Final = {
    "iid": 7, "author": {"username": "ada"}, "merged_at": MOMENT, "closed_at": None,
    "created_at": MOMENT, "merge_commit_sha": "0" * 40, "squash_commit_sha": None, "sha": "1" * 40,
    "web_url": "https://gitlab.example.com/acme/shop/-/merge_requests/7", "title": "Add",
    "target_branch": "main", "source_branch": "work", "labels": ["x"],
}  # fmt: skip
DEPLOYMENT: Final = {
    "id": 9, "status": "success", "environment": {"id": 1, "name": "production"}, "sha": "1" * 40,
    "ref": "main", "created_at": MOMENT, "updated_at": MOMENT,
    "deployable": {"started_at": MOMENT, "finished_at": MOMENT, "user": {"bot": True}, "tag": True},
}  # fmt: skip
ISSUE: Final = {
    "iid": 3, "title": "Down", "severity": "HIGH", "created_at": MOMENT, "closed_at": MOMENT,
    "updated_at": MOMENT, "web_url": "https://gitlab.example.com/acme/shop/-/issues/3",
}  # fmt: skip
PIPELINE: Final = {
    "id": 5, "status": "success", "name": "ci", "sha": "1" * 40, "started_at": MOMENT,
    "finished_at": MOMENT,
}  # fmt: skip
PAGE: Final = {
    "id": "P1", "last_status_change_at": MOMENT, "priority": {"summary": "P1"},
    "service": {"summary": "shop"}, "status": "resolved", "title": "Down", "created_at": MOMENT,
    "updated_at": MOMENT,
}  # fmt: skip
LOG: Final[list[Any]] = [
    {"type": "acknowledge_log_entry", "created_at": MOMENT},
    {"type": "resolve_log_entry", "created_at": MOMENT},
]
OTHERS: Final[dict[str, tuple[Any, Build]]] = {
    "commit": (COMMIT, lambda node: gitlab.parse_commit(node, "acme/shop", MARKS_OF)),
    "merge request": (
        MERGE_REQUEST,
        lambda node: gitlab.parse_change(node, "acme/shop", [COMMIT], MARKS_OF),
    ),
    "deployment": (
        DEPLOYMENT, lambda node: gitlab.parse_deployment(node, "acme/shop", "production")
    ),
    "issue": (ISSUE, lambda node: gitlab.parse_incident(node, "acme/shop")),
    "pipeline": (PIPELINE, lambda node: gitlab.parse_run(node, "acme/shop")),
    "page": (PAGE, lambda node: pagerduty.parse_incident(node, LOG)),
    "log": ({"log": LOG}, lambda node: pagerduty.parse_incident(PAGE, node["log"])),
}  # fmt: skip


def test_what_is_not_mutated_is_a_record_of_other_servers() -> None:
    for node, build in OTHERS.values():
        assert check_record(build(node))


@law(100, soak=20_000)
@given(SEEDS, st.sampled_from(sorted(OTHERS)))
def test_any_thing_of_other_servers_is_a_record_or_named(seed: int, name: str) -> None:
    (node, build), random = OTHERS[name], Random(seed)
    for _ in range(random.choice((1, 1, 1, 2, 5))):
        node = mutated(node, random)

    said = ""
    try:
        read_shape(lambda: check_record(build(node)), server="Forge", about="one of many")
    except BadAnswer as bad:
        said = str(bad)

    assert not said or said.startswith("Forge's answer about one of many ")


def test_an_installation_may_be_anything() -> None:
    for odd in ODD:
        with suppress(Malformed):
            parse_installation({"id": odd, "account": odd, "permissions": odd})


@pytest.mark.slow
@law(15, soak=500)
@given(SEEDS)
def test_any_odd_answers_cost_no_more_than_what_they_are_about(seed: int) -> None:
    """Every answer of a collection may have something odd in it."""

    def make_odd(request: Request, body: Any) -> Any:
        dice = Random(f"{seed} {request.number}")
        return mutated(body, dice) if dice.random() < 0.3 else body

    faults = Faults(always=(changed(make_odd),))
    world = busy_world() if seed % 2 else lively().world
    with collecting(world, NEXT_WEEK, faults=faults, **SETTINGS) as github:
        with suppress(VpemetricsError):
            github.collect()

        _check(github)


def _check(github: Collected) -> None:
    """What is stored is whole, and all that was left out is named with a reason."""
    for record in github.told:
        check_record(record)
    for name, why in github.left_out.items():
        assert name
        assert why.startswith(("GitHub's answer about ", "asking GitHub"))


HEADERS: Final = (
    "Retry-After", "X-RateLimit-Remaining", "X-RateLimit-Limit", "X-RateLimit-Reset", "Date",
    "Link", "Location", "Content-Type", "X-GitHub-SSO", "Content-Encoding", "X-OAuth-Scopes",
)  # fmt: skip
VALUES: Final = (
    "9" * 25, "-1", "0", "abc", "1.5", "²", "", " ", "text/html", "gzip", "http://[", "http://a:b/",
    '<http://[>; rel="next"', "Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 +9999",
    "required; url=x", "2,500+", "a" * 5000, "partial-results; organizations=1,2", "/x", "é",
)  # fmt: skip
STATUSES: Final = (200, 200, 200, 201, 202, 204, 206, 301, 304, 307, 400, 401, 403, 404, 409, 418,
                   422, 429, 451, 500, 502, 599, 999)  # fmt: skip
CONTENTS: Final = (
    b"", b"[", b"[" * 100_000, b'{"data": [1]}', b"<html>", b"null", b"7", b'{"errors": 5}',
    b"\xff",
    b'{"message": {"message": []}}', b'{"data": {"x": 1}, "errors": [{"type": [], "path": 7}]}',
)  # fmt: skip


@pytest.fixture(scope="module")
def forge() -> Iterator[Loopback]:
    with loopback(Hourglass()) as server:
        yield server


@law(100, soak=10_000)
@given(SEEDS)
def test_any_status_header_and_body_is_an_answer_or_a_problem(forge: Loopback, seed: int) -> None:
    random = Random(seed)

    def answer(_asked: object) -> Say:
        names = random.sample(HEADERS, random.randrange(4))
        body = json.dumps(mutated(random.choice(answers()), random)).encode()
        return Say(
            status=random.choice(STATUSES),
            content=body if random.random() < 0.5 else random.choice(CONTENTS),
            headers={name: random.choice(VALUES) for name in names},
        )

    forge.answer = answer
    forge.asked.clear()
    hourglass = Hourglass()
    access = access_by_token(url=forge.url, token="ghp_abc", policy=hourglass.policy())
    client = access.client("acme")

    with suppress(VpemetricsError), closing(access):
        if random.random() < 0.5:
            list(client.pages("/repos/acme/shop/issues"))
        else:
            client.query(OWNED, {"owner": "acme"})

    assert forge.asked


MANIFESTS: Final = (
    "image:\n  tag: 1.10\n",
    "images:\n- name: web\n  newTag: v1\n- name: api\n  newTag: v2\n",
    "a: &a {image: {tag: v1}}\nb: *a\n---\nimage: {tag: v3}\n",
    "spec: {containers: [{image: 'ghcr.io/acme/web:v1@sha256:abc'}]}\n",
)
BITS: Final = (
    "[", "]", "{", "}", ":", "- ", "&a ", "*a", "\t", "\n", "'", '"', "? ", "!!python/object:x ",
    "<<: ", "%YAML 9\n", "\\U99999999", "\x00", "[" * 600, "{a: " * 300, "--- ",
)  # fmt: skip
PLACES: Final = ("image.tag", "{service}.image.tag", "images[name={service}].newTag",
                 "spec.containers[0].image", "{service}.{environment}.tag")  # fmt: skip


@law(100, soak=20_000)
@given(SEEDS)
def test_any_file_has_versions_or_is_told_to_be_unreadable(seed: int) -> None:
    random = Random(seed)
    text = random.choice(MANIFESTS)
    for _ in range(random.randrange(1, 6)):
        at = random.randrange(len(text) + 1)
        text = text[:at] + random.choice(BITS) + text[at + random.randrange(3) :]

    with suppress(Unreadable):
        found = versions(text, parse_place(random.choice(PLACES)))
        assert all(isinstance(version.version, str) for version in found)
