from datetime import date

import pytest

from vpemetrics.metrics.figures import Scope
from vpemetrics.metrics.steps import step_dates, step_scopes
from vpemetrics.rules import Step

STEPS = tuple(
    Step(metric=metric, on=date(2026, 9, day), why="moved", scope=scope)
    for metric, day, scope in [
        ("change_fail_rate", 9, None),
        ("change_fail_rate", 8, "team:web"),
        ("change_fail_rate", 7, "service:shop"),
        ("deployment_frequency", 6, None),
        ("change_fail_rate", 30, None),  # after the window
    ]
)


@pytest.mark.parametrize(
    ("kind", "name", "team", "days"),
    [
        ("organisation", "Acme", None, [9]),
        ("team", "web", None, [8, 9]),
        ("service", "shop", "web", [7, 8, 9]),
        ("service", "shop", None, [7, 9]),  # nobody owns it
        ("service", "cart", "web", [8, 9]),
        ("team", "shop", None, [9]),  # a service's name is not a team's
    ],
)
def test_the_steps_of_a_scope_are_its_own_and_those_of_what_holds_it(
    kind: str, name: str, team: str | None, days: list[int]
) -> None:
    scopes = step_scopes(Scope.model_validate({"kind": kind, "name": name}), team)

    found = step_dates(STEPS, "change_fail_rate", scopes, date(2026, 9, 30))

    assert [on.day for on in found] == days
