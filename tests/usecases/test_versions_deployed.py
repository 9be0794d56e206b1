"""Tags and releases as deployments: one service, one deployment a commit, no early builds.

They come in any order, one by one, as GitHub's do (rules D2, D3 and D6).
"""

from collections.abc import Iterable
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
from builders import commits, deploy
from stored import SOURCE, Stored, derive, empty_store, read

from vpemetrics.records import Deployment
from vpemetrics.rules import Rules, Service
from vpemetrics.usecases.explain import explain
from vpemetrics.usecases.update_lineage import bring_up_to_date
from vpemetrics.version_tags import environment_of, service_of

pytestmark = pytest.mark.slow  # each case collects several times

GRAPH = commits("a<b<c<d", repository="acme/shop")
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "Mon2")


def version(word: str, day: int, **more: Any) -> Deployment:
    """A tag of a commit, as in `web/v1.0@a`, made on a day."""
    name, _, sha = word.partition("@")
    service = service_of(name, "acme/shop")
    made = deploy(
        name,
        f"{DAYS[day]} 10:00",
        sha,
        service=service,
        service_by_name=True if service else None,
        chosen_by_name=True,
        version=name,
        repository="acme/shop",
    )
    return replace(made, environment=environment_of(name) or "production", **more)


def versions(words: str, **more: Any) -> list[Deployment]:
    return [version(word, day, **more) for day, word in enumerate(words.split())]


def parts(found: Stored) -> dict[str, str]:
    """The versions of each service, those of one deployment joined by +."""
    return {
        service: " ".join("+".join(one.parts) for one in made)
        for service, made in found.deployments.items()
    }


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        # two prefixes for each commit are one deployment of one service
        ("cli-1.1@a v0.1@a cli-1.2@b v0.2@b", "cli-1.1+v0.1 cli-1.2+v0.2"),
        ("v1.0@a v2.0@b v1.0.1@a", "v1.0+v1.0.1 v2.0"),  # whatever was deployed between
        ("web/v1.0@a api/v1.0@b web/v1.1@c", "web/v1.0 api/v1.0 web/v1.1"),
        # who counts builds from 0 counts towards the version, as who makes it later
        ("v2.0-0@a v2.0-1@b v2.1@c", "v2.1"),
        ("v1.0-1@a v1.0-2@b v1.0@c", "v1.0"),
        ("v1.0-1@a v1.0-2@b v1.0-3@c", "v1.0-1 v1.0-2 v1.0-3"),
        ("v1.0@a v1.0-1@b", "v1.0 v1.0-1"),
        # where production is named, nothing else is
        ("v1.0@a staging/v1.1@b prod/v1.1@c v1.2@d", "prod/v1.1"),
        ("v1.0@a staging/v1.1@b v1.1@c", "v1.0 v1.1"),
    ],
)
def test_versions_that_come_one_by_one_are_judged_beside_each_other(
    told: str, expected: str
) -> None:
    found = versions(told)
    for order in permutations(found) if len(found) < 4 else (found, found[::-1]):
        with empty_store() as store:
            store.save(SOURCE, GRAPH)
            for one in order:
                store.save(SOURCE, [one])
                bring_up_to_date(store, Rules())
            assert parts(read(store)) == {"acme/shop": expected}
            assert read(store) == derive([*GRAPH, *found], Rules())


@pytest.mark.parametrize(
    ("services", "expected"),
    [
        ((), {"acme/shop": "web/v1.0 api/v1.0 v1.1"}),
        ((Service(name="web"),), {"web": "web/v1.0", "acme/shop": "api/v1.0 v1.1"}),
        ((Service(name="ui", sources=("WEB",)),), {"ui": "web/v1.0", "acme/shop": "api/v1.0 v1.1"}),
        ((Service(name="web", repository="acme/other"),), {"acme/shop": "web/v1.0 api/v1.0 v1.1"}),
        ((Service(name="shop", repository="Acme/Shop"),), {"shop": "web/v1.0 api/v1.0 v1.1"}),
        (
            (Service(name="web", paths=("web/",)), Service(name="api", paths=("api/",))),
            {"web": "web/v1.0", "api": "api/v1.0", "acme/shop": "v1.1"},
        ),
    ],
)
def test_a_prefix_is_a_service_where_the_configuration_says_so(
    services: tuple[Service, ...], expected: dict[str, str]
) -> None:
    told = versions("web/v1.0@a api/v1.0@b v1.1@c")

    assert parts(derive([*GRAPH, *told], Rules(services=services))) == expected


def test_a_service_that_a_source_names_is_one_beside_others_of_its_repository() -> None:
    named = versions("web/v1.0@a api/v1.0@b", service_by_name=None)

    assert set(derive([*GRAPH, *named], Rules()).deployments) == {"web", "api"}


def test_versions_that_were_chosen_mean_what_they_say() -> None:
    chosen = versions("v1.0-0@a prod/v1.1@b v1.2@c", chosen_by_name=False)

    assert parts(derive([*GRAPH, *chosen], Rules())) == {"acme/shop": "v1.0-0 prod/v1.1 v1.2"}


def test_a_run_that_deploys_an_older_version_again_is_no_further_name_of_it() -> None:
    told = versions("v1.0@a v1.1@b v1.0@a", chosen_by_name=None)
    told = [replace(one, id=f"run {number}") for number, one in enumerate(told)]

    assert derive([*GRAPH, *told], Rules()).kinds("acme/shop") == "forward forward rollback"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("v2.0-0", "a pre-release: builds of its version count from 0"),
        ("v3.0", "other versions of the repository are named as those of production"),
        ("live-2.1", "prod-2.0 is a version of the same commit, and counts: it was first"),
    ],
)
def test_a_version_that_does_not_count_is_explained(name: str, why: str) -> None:
    assert why in story(versions("v2.0-0@a prod-2.0@b live-2.1@b v3.0@c"), name)


def story(told: Iterable[Deployment], name: str) -> str:
    with empty_store() as store:
        store.save(SOURCE, [*GRAPH, *told])
        return " ".join(fact.text or "" for fact in explain(store, Rules(), name).facts)
