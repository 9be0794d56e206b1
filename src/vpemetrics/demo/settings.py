"""The files that stand beside Acme's records: its configuration and its objectives."""

from collections.abc import Iterable, Iterator
from typing import Final

from vpemetrics.demo.acme import (
    BLUEPRINTS,
    NAME,
    OUTAGE,
    REORGANISED,
    STOREFRONT_SPEEDS_UP,
    TEAMS,
    UNCOLLECTED,
    ZONE,
)
from vpemetrics.demo.blueprint import Blueprint
from vpemetrics.demo.calendar import Calendar

MISSED: Final = "search"
RECORDS: Final = "records"
"""The folder of the import files."""

_HEAD = f"""\
[organisation]
name = "{NAME}"
timezone = "{ZONE}"

[bots]
authors = ["updates*"]

[reliability]
file = "slo.csv"

[[target]]
metric = "change_lead_time"
at_most = "2d"

[[target]]
metric = "change_fail_rate"
at_most = "8%"

[[target]]
metric = "failed_deployment_recovery_time"
at_most = "2h"

[[target]]
metric = "deployment_frequency"
at_least = 25
scope = "team:storefront"

[[step]]
metric = "deployment_frequency"
on = {{reorganised}}
why = "Two large teams became five, each with a pipeline of its own."

[[event]]
on = {{reorganised}}
what = "Five teams"

[[event]]
on = {{uncollected}}
what = "Pipelines move: deployed by hand, and not recorded"

[[event]]
on = {{outage}}
what = "Region of the cloud provider down, then a freeze"

[[event]]
on = {{storefront_speeds_up}}
what = "Storefront leaves the release train"

# Its records, as a folder of files that something else keeps up to date.
[sources.acme]
type = "files"
path = "{RECORDS}"
"""


def configuration(calendar: Calendar) -> str:
    """The configuration file: services with their owners, targets, steps and events."""
    head = _HEAD.format(
        reorganised=calendar.day(REORGANISED),
        uncollected=calendar.day(UNCOLLECTED[0]),
        outage=calendar.day(OUTAGE),
        storefront_speeds_up=calendar.day(STOREFRONT_SPEEDS_UP),
    )
    return "\n".join([head, *_services(BLUEPRINTS)])


def objectives() -> str:
    """The service level objectives and whether they were met, as CSV."""
    rows = [f"{service},availability 99.9 %,{str(service != MISSED).lower()}" for service in _all()]
    return "\n".join(["service,slo,met", *rows, ""])


def _all() -> Iterator[str]:
    for services in TEAMS.values():
        yield from services


def _services(blueprints: Iterable[Blueprint]) -> Iterator[str]:
    for blueprint in blueprints:
        for repository, services in blueprint.repositories.items():
            for service in services:
                yield _service(blueprint, repository, service)


def _service(blueprint: Blueprint, repository: str, service: str) -> str:
    lines = [
        "[[service]]",
        f'name = "{service}"',
        f'team = "{blueprint.team(service)}"',
        f'repository = "{repository}"',
    ]
    if blueprint.monorepo:
        lines.append(f'paths = ["services/{service}/**", "shared/**"]')
    return "\n".join([*lines, ""])
