from datetime import UTC, date, datetime
from typing import Any

import pytest
from example_reports import WEEK, frequency, proportion, quiet_week

from vpemetrics.metrics.figures import WindowRef
from vpemetrics.reports.model import CoverageCount, LastDeployment, OpenIncident, Report
from vpemetrics.reports.summary import summarise


def after(service: str, deployment: str, at: datetime, *, services: int = 3) -> Report:
    """A week without a deployment, after one that finished at a moment."""
    last = LastDeployment(service=service, deployment=deployment, finished_at=at)
    count = CoverageCount(known=services, total=services)
    return quiet_week().model_copy(update={"last_deployment": last, "services": count})


MARCH, AUGUST = (datetime(2026, month, day, tzinfo=UTC) for month, day in ((3, 4), (8, 29)))


@pytest.mark.parametrize(
    ("service", "deployment", "at", "services", "said"),
    [
        ("shop", "v1.2", MARCH, 1, "v1.2 on 4 Mar 2026, 25 weeks earlier"),
        ("shop", "v1.2", MARCH, 3, "shop v1.2 on 4 Mar 2026, 25 weeks earlier"),
        ("shop", "shop/7", MARCH, 3, "shop/7 on 4 Mar 2026, 25 weeks earlier"),
        ("shop", "v1.2", AUGUST, 1, "v1.2 on 29 Aug 2026"),
    ],
)
def test_a_week_without_a_deployment_says_what_was_deployed_last(
    service: str, deployment: str, at: datetime, services: int, said: str
) -> None:
    report = after(service, deployment, at, services=services)

    assert summarise(report) == f"No deployment in 2026-W36; the last was {said}."


def test_a_week_that_goes_on_is_not_said_to_be_without_a_deployment() -> None:
    running = quiet_week().model_copy(update={"partial": True})

    assert summarise(running) == "No deployment in what was collected of 2026-W36."


def test_dates_that_were_not_collected_are_written_as_dates() -> None:
    window = WindowRef(
        start=date(2026, 4, 6), end=date(2026, 4, 13), label="2026-04-06..2026-04-13"
    )

    nothing = quiet_week().model_copy(update={"window": window})

    assert summarise(nothing) == "No data was collected for 6–12 Apr 2026."


def test_a_week_without_any_deployment_before_it_says_no_more() -> None:
    assert summarise(quiet_week()) == "No deployment in 2026-W36."


def opened(key: str, *, hours: int = 16, customers: bool = True, **more: Any) -> OpenIncident:
    return OpenIncident(
        key=key, began_at=MARCH, lasting=hours * 3600.0, customers=customers,
        **{"title": None, "services": (), "severity": None} | more,
    )  # fmt: skip


REFUNDS = opened("INC-1", title="refunds\nstay pending", services=("checkout",), severity=1)


@pytest.mark.parametrize(
    ("incidents", "said"),
    [
        ([REFUNDS], 'Open: "refunds stay pending" (checkout), 16 h, customers affected. '),
        ([opened("INC-2")], 'Open: "INC-2", 16 h, customers affected. '),
        ([REFUNDS, opened("INC-2"), opened("INC-3", customers=False)],
         'Open: "refunds stay pending" (checkout), 16 h, customers affected. '
         "1 more incident like it. "),
        ([opened("INC-3", customers=False)], ""),
    ],
)  # fmt: skip
def test_an_open_incident_is_named_first(incidents: list[OpenIncident], said: str) -> None:
    week = quiet_week().model_copy(update={"open_incidents": tuple(incidents)})

    assert summarise(week) == f"{said}No deployment in 2026-W36."


@pytest.mark.parametrize(
    ("known", "total", "external", "said"),
    [
        (0, 1, 0, "no failure traced to one yet; 1 incident has no known cause."),
        (0, 3, 1, "no failure traced to one yet; 2 incidents have no known cause."),
        (0, 1, 1, "none of them failed."),
        (0, 0, 0, "none of them failed."),
    ],
)
def test_none_failed_only_where_every_incident_is_accounted_for(
    known: int, total: int, external: int, said: str
) -> None:
    report = quiet_week().model_copy(
        update={
            "incidents": CoverageCount(known=known, total=total),
            "incidents_external": external,
            "figures": (frequency(WEEK, 13), proportion("change_fail_rate", WEEK, 0, 13)),
        }
    )

    assert summarise(report) == f"13 deployments, {said}"


def test_numbers_are_written_as_in_the_table() -> None:
    busy = quiet_week().model_copy(
        update={
            "figures": (
                frequency(WEEK, 12345),
                proportion("change_fail_rate", WEEK, 1209, 12000, (0.09, 0.11)),
            )
        }
    )

    assert summarise(busy) == "12,345 deployments, 1,209 of them failed."
