"""The settings of a GitHub source, and what is wrong with them."""

from typing import Any

import pytest

from vpemetrics.collectors.github.options import Options, Rule
from vpemetrics.collectors.registry import collector_of
from vpemetrics.config.messages import dotted_name
from vpemetrics.config.source_checks import option_mistakes, options_of

LEAST = {"repositories": ["acme/*"], "token": "env:TOKEN"}


def told(**given: Any) -> list[str]:
    mistakes = option_mistakes(("sources", "hub"), Options, {**LEAST, **given})
    return [f"{dotted_name(mistake.path)}: {mistake.problem}" for mistake in mistakes]


def test_everything_that_can_be_set_is_read() -> None:
    given = {
        **LEAST,
        "incidents": {"labels": ["incident"], "repositories": ["acme/desk"]},
        "max_wait": "30min",
        "deployments": [
            {"from": "workflow", "workflow": "ship.yml", "job": "to (?P<environment>.+)"},
            {"from": "releases", "tags": ["v*"], "service": "app"},
            {},
        ],
    }

    options = options_of(collector_of("github"), given)
    assert [rule.kind for rule in options.deployments] == ["workflow", "releases", "environments"]
    assert options.longest_wait.total_seconds() == 1800
    assert options.incidents


def test_github_deployments_are_taken_where_nothing_else_is_said() -> None:
    assert options_of(collector_of("github"), LEAST).deployments == (Rule(),)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"token": None}, "needs token or app, one of the two"),
        ({"app": {"id": 1, "private_key": "file:k.pem"}}, "needs token or app, one of the two"),
        (
            {"token": None, "app": {"id": 1, "private_key": "file:k.pem"}, "clone": True},
            "clone needs a token",
        ),
        ({"repositories": ["shop"]}, "'shop' is not like"),
        ({"repositories": ["*/shop"]}, "needs the name of an owner"),
        ({"repositories": ["!acme/old"]}, "names none"),
        ({"max_wait": "soon"}, "max_wait is a duration"),
        ({"max_requests": 0}, "max_requests is at least 1"),
        ({"incidents": {"repositories": ["acme/desk"]}}, "needs labels or types"),
        ({"incidents": {"labels": ["x"], "repositories": ["acme/*"]}}, "is no repository"),
        ({"incidents": {"label": ["x"]}}, "incidents.label: unknown setting"),
        ({"deployments": [{"from": "workflow"}]}, "belong together"),
        ({"deployments": [{"workflow": "x"}]}, "belong together"),
        ({"deployments": [{"job": "x"}]}, "job is for"),
        ({"deployments": [{"tags": ["v*"]}]}, "tags are for"),
        ({"deployments": [{"environment": "(?P<service>"}]}, "no regular expression"),
        ({"deployments": [{"environment": "(?P<team>.*)"}]}, "not team"),
        ({"deployments": [{"environment": "(?P<service>.*)", "service": "x"}]}, "is for all"),
        ({"deployments": [{"frm": "tags"}]}, "deployments[1].frm: unknown setting"),
        ({"deployments": [{"from": "hearsay"}]}, "deployments[1].from"),
    ],
)
def test_mistakes_are_named(given: dict[str, Any], expected: str) -> None:
    (mistake,) = told(**given)

    assert expected in mistake
