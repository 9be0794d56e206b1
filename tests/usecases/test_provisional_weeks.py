"""Failures take time to come to light: figures say so until most of them have."""

import pytest
from builders import deploy, incident
from measuring import collected, weeks
from stored import SOURCE, empty_store

from vpemetrics.metrics.dora import MAY_RISE
from vpemetrics.records import AnyRecord
from vpemetrics.reports.model import Report
from vpemetrics.rules import Rules
from vpemetrics.usecases.reporting import Asked, report


def reported(until: str, *failures: AnyRecord) -> Report:
    """The week of 2 March 2026, looked at on a later day."""
    history = [deploy("first", "Mon-1 10:00", None), deploy("d", "Tue 10:00", None), *failures]
    with empty_store() as store:
        store.save(SOURCE, [*history, *collected("Mon-1 00:00", until)])
        return report(store, Rules(), Asked(window=weeks(1)))


def detected(days: int) -> list[AnyRecord]:
    """Twenty failures that were detected so many days after their deployments."""
    return [
        record
        for number in range(20)
        for record in (
            deploy(f"f{number}", f"Mon 12:{number:02}", None),
            incident(
                f"I{number}",
                f"{('Mon', 'Tue', 'Wed', 'Thu')[days % 7]}{1 + days // 7} 12:{number:02}",
                cause_deployment=f"f{number}",
            ),
        )
    ]


@pytest.mark.parametrize(
    ("until", "failures", "provisional"),
    [
        ("Mon2 00:00", [], True),
        ("Sun3 23:59", [], True),  # a fortnight, while nothing is known
        ("Mon4 00:00", [], False),
        ("Sun2 23:59", detected(0), True),  # at least a week
        ("Mon3 00:00", detected(0), False),
        ("Tue3 23:59", detected(9), True),
        ("Wed3 00:00", detected(9), False),
    ],
)
def test_a_week_is_provisional_until_its_failures_had_time_to_show(
    until: str, failures: list[AnyRecord], provisional: bool
) -> None:
    found = reported(until, *failures)

    said = {
        figure.metric: figure.provisional
        for figure in found.figures
        if figure.window == found.window and figure.scope == found.scope
    }
    assert {metric for metric, yes in said.items() if yes} == set(MAY_RISE if provisional else ())


def test_a_window_is_provisional_as_long_as_its_last_week() -> None:
    found = reported("Mon2 00:00")

    rates = [figure for figure in found.figures if figure.metric == "change_fail_rate"]
    marked = {figure.window.label: figure.provisional for figure in rates if figure.n is not None}
    assert marked[found.window.label]
    assert marked[found.headline.label]
    assert not marked["2026-W08"]
