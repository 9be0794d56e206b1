"""Repositories as they are wanted: their rules, incidents and paths, without any network."""

from datetime import UTC, datetime
from typing import Any

import pytest

from vpemetrics.collectors.git.commits import GitAuthors
from vpemetrics.collectors.github.options import Incidents, Options, Rule
from vpemetrics.collectors.github.repository import (
    Naming,
    RepositoryProbe,
    RepositoryTarget,
)
from vpemetrics.rules import Rules, Service

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
RULES = Rules(
    services=(
        Service(name="cart", repository="acme/shop", paths=("cart/**",)),
        Service(name="mail", repository="Acme/Store", paths=("mail/*",), environments=("eu-*",)),
        Service(name="desk", repository="acme/desk", paths=("desk/**",)),
    )
)


def target(
    node: dict[str, Any] | None = None, *, is_code: bool = True, **settings: Any
) -> RepositoryTarget:
    """A repository that was called `acme/shop` and is `Acme/store` now."""
    shown = {"id": "R_1", "nameWithOwner": "Acme/store", **(node or {})}
    return RepositoryTarget(
        probe=RepositoryProbe(node=shown, known="acme/shop", asked=None, account="Acme"),
        naming=Naming(known="acme/shop", current="Acme/store", authors=GitAuthors(Rules())),
        options=Options(repositories=("acme/*",), token="env:TOKEN", **settings),
        rules=RULES,
        source="github",
        now=BEGIN,
        begin=BEGIN,
        is_code=is_code,
    )


def test_rules_count_under_the_old_name_and_the_new() -> None:
    rules = tuple(Rule(repositories=(name,)) for name in ("acme/shop", "Acme/store", "acme/desk"))

    assert target(deployments=rules).deployments == list(rules[:2])
    assert target(deployments=rules, is_code=False).deployments == []


@pytest.mark.parametrize(
    ("incidents", "is_code", "expected"),
    [
        (Incidents(), True, False),
        (Incidents(labels=("incident",)), True, True),
        (Incidents(labels=("incident",)), False, False),
        (Incidents(labels=("incident",), repositories=("acme/Store",)), False, True),
        (Incidents(labels=("incident",), repositories=("acme/desk",)), True, False),
    ],
)
def test_incidents_are_where_the_settings_look_for_them(
    incidents: Incidents, is_code: bool, expected: bool
) -> None:
    assert target(incidents=incidents, is_code=is_code).has_incidents is expected


def test_paths_are_those_of_services_under_either_name() -> None:
    assert target().paths == ["cart/**", "mail/*"]


def test_environments_of_one_service_are_production_too() -> None:
    names = ("production", "eu-west", "staging")

    assert [target().is_production(name) for name in names] == [True, True, False]


def test_an_empty_repository_has_no_branch() -> None:
    empty = target({"defaultBranchRef": None}).probe

    assert (empty.branch, empty.tip, empty.total("releases")) == (None, None, None)


def test_a_list_looks_other_once_anything_on_it_is_touched() -> None:
    seen = [
        target({"issues": {"totalCount": count, "nodes": [{"updatedAt": at}]}}).probe.sign("issues")
        for count, at in ((3, "2026-01-01T00:00:00Z"), (3, "2026-01-02T00:00:00Z"), (4, None))
    ]

    assert len({text for text, _ in seen}) == 3
    assert [newest for _, newest in seen] == ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", None]


def test_settings_that_matter_have_another_fingerprint() -> None:
    one = target()

    assert one.fingerprint("issues", 1) == target().fingerprint("issues", 1)
    assert one.fingerprint("issues", 1) != one.fingerprint("issues", 2)
