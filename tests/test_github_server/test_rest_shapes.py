"""The shapes of REST answers against answers that were recorded from the real GitHub."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from github_server import shapes
from github_server.world import Repo, World
from github_world import after, busy_world

PAYLOADS = Path(__file__).parents[3] / "shared" / "payloads"
API = "http://127.0.0.1/api/v3"

# What GitHub tells today and did not when the answers were recorded.
NEWER = {
    "runs": {"display_title"},
    "jobs": {"workflow_name", "head_branch", "created_at"},
    "pull_requests": set[str](),
    "reviews": set[str](),
    "issues": {"type"},
    "deployment": {"transient_environment", "production_environment"},
    "deployment_status": {"environment_url", "log_url", "performed_via_github_app"},
    "release": set[str](),
}


def world() -> World:
    """One in which CI ran, too."""
    made = busy_world()
    shop = made.repository("acme/shop")
    run = shop.start_run("CI", shop.tip or "", at=after(1), by=made.account("ada"), jobs=["test"])
    shop.finish_run(run, "success", at=after(2))
    return made


def runs(shop: Repo) -> Iterator[Any]:
    yield from (shapes.run(one, API) for one in shop.runs.values())


def jobs(shop: Repo) -> Iterator[Any]:
    for run in shop.runs.values():
        yield from (shapes.job(one, run, run.latest, API) for one in run.latest.jobs)


def pull_requests(shop: Repo) -> Iterator[Any]:
    yield from (shapes.pull(one, API) for one in shop.pulls.values())


def reviews(shop: Repo) -> Iterator[Any]:
    for pull in shop.pulls.values():
        yield from (shapes.review(one, API) for one in pull.reviews)


def issues(shop: Repo) -> Iterator[Any]:
    yield from (shapes.issue(one, API) for one in shop.issues.values())
    yield from (shapes.issue(one, API) for one in shop.pulls.values())


def deployment(shop: Repo) -> Iterator[Any]:
    yield from (shapes.deployment(one, API) for one in shop.deployments.values())


def deployment_status(shop: Repo) -> Iterator[Any]:
    for one in shop.deployments.values():
        yield from (shapes.deployment_status(said, API) for said in one.statuses)


def release(shop: Repo) -> Iterator[Any]:
    yield from (shapes.release(one, API) for one in shop.releases.values())


def kinds(values: list[Any]) -> set[str]:
    return {type(value).__name__ for value in values}


def strangers(ours: list[Any], real: list[Any], newer: set[str]) -> Iterator[str]:
    """What we tell and GitHub does not, or as another kind of thing; nulls fit everything."""
    for name in sorted({name for one in ours for name in one} - newer):
        told = [one[name] for one in ours if name in one]
        known = [one[name] for one in real if name in one]
        if not known:
            yield f"{name} is not told by GitHub"
        elif (odd := kinds(told) - kinds(known) - {"NoneType"}) and kinds(known) != {"NoneType"}:
            yield f"{name} is {odd}, and {kinds(known)} on GitHub"
        elif isinstance(known[0], dict):
            inner = [one for one in told if isinstance(one, dict)]
            for stranger in strangers(inner, [one for one in known if one], set()):
                yield f"{name}.{stranger}"


@pytest.mark.needs_recorded_payloads
@pytest.mark.parametrize("ours", [runs, jobs, pull_requests, reviews, issues])
def test_rest_answers_have_the_shape_of_recorded_ones(
    ours: Callable[[Repo], Iterator[Any]],
) -> None:
    recorded = PAYLOADS / "github-rest" / f"{ours.__name__}.jsonl"
    if not recorded.is_file():
        pytest.skip(f"no ../shared/payloads/github-rest/{recorded.name}")
    lines = recorded.read_text(encoding="utf-8").splitlines()
    real = [json.loads(line)["payload"] for line in lines]
    told = list(ours(world().repository("acme/shop")))

    assert told
    assert list(strangers(told, real, NEWER[ours.__name__])) == []


@pytest.mark.needs_recorded_payloads
@pytest.mark.parametrize(
    ("ours", "file"),
    [
        (deployment, "octokit-deployment_status"),
        (deployment_status, "octokit-deployment_status"),
        (release, "octokit-release-published"),
    ],
)
def test_what_webhooks_tell_has_the_same_shape(
    ours: Callable[[Repo], Iterator[Any]], file: str
) -> None:
    recorded = PAYLOADS / "github-webhooks" / f"{file}.json"
    if not recorded.is_file():
        pytest.skip(f"no ../shared/payloads/github-webhooks/{file}.json")
    payload = json.loads(recorded.read_text(encoding="utf-8"))
    told = list(ours(world().repository("acme/shop")))

    assert told
    real = [payload.get("payload", payload)[ours.__name__]]
    assert list(strangers(told, real, NEWER[ours.__name__])) == []


def test_a_stranger_is_told_by_its_name_and_kind() -> None:
    ours = [{"id": 1, "name": None, "odd": 1, "user": {"login": 1}}]
    real = [{"id": 2, "name": "a", "user": {"login": "ada"}}]

    assert list(strangers(ours, real, set())) == [
        "odd is not told by GitHub",
        "user.login is {'int'}, and {'str'} on GitHub",
    ]
