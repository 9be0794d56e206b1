"""Acme's configuration is one that vpemetrics accepts, and speaks of the services there are."""

from pathlib import Path

from demonstration import CALENDAR

from vpemetrics.config.load import load
from vpemetrics.demo.acme import ENDS, REORGANISED, TEAMS
from vpemetrics.demo.settings import configuration, objectives
from vpemetrics.usecases.slo import reliability


def test_the_configuration_is_accepted(tmp_path: Path) -> None:
    file = tmp_path / "vpemetrics.toml"
    file.write_text(configuration(CALENDAR), encoding="utf-8")

    rules = load(file, {}).rules()

    assert {one.name: one.team for one in rules.services} == {
        service: team for team, services in TEAMS.items() for service in services
    }
    assert [(step.metric, step.on) for step in rules.steps] == [
        ("deployment_frequency", REORGANISED)
    ]
    assert rules.targets
    assert all(event.on < ENDS for event in rules.events)


def test_one_objective_was_missed(tmp_path: Path) -> None:
    file = tmp_path / "slo.csv"
    file.write_text(objectives(), encoding="utf-8")

    assert reliability(str(file)) == "SLOs met 11/12 (source: slo.csv)"
    assert reliability(str(file), ("search",)) == "SLOs met 0/1 (source: slo.csv)"
