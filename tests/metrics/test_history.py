"""What charts draw beside figures: blocks of four weeks, and samples."""

import numpy as np
import pytest
from builders import deploy, incident
from measuring import BEGIN, END, collected, cutting, shipping, weeks
from stored import SOURCE, empty_store

from vpemetrics.metrics.evaluate import BY_BLOCK
from vpemetrics.metrics.history import MOST_DRAWN, by_week, distribution, recoveries
from vpemetrics.records import AnyRecord
from vpemetrics.reports.model import Report
from vpemetrics.rules import Rules
from vpemetrics.usecases.reporting import Asked, report
from vpemetrics.window import Window, parse_month, parse_quarter, weeks_in

DAYS = ("Mon1", "Tue1", "Mon2", "Tue2")
BUSY = shipping("\n".join(f"{day} 1{n}:00 3h ann" for day in DAYS for n in range(4)))


def reported(window: Window, *records: AnyRecord) -> Report:
    with empty_store() as store:
        store.save(SOURCE, [*records, *collected(BEGIN, END)])
        return report(store, Rules(), Asked(window=window))


def block_ends(found: Report) -> list[str]:
    """When the windows of four weeks end that have a share within a day."""
    return sorted(
        f"{one.window.end}"
        for one in found.figures
        if one.metric == "share_within_24h"
        and (one.window.end - one.window.start).days == 28
        and one.scope == found.scope
    )


@pytest.mark.parametrize(
    ("window", "last", "count"),
    [
        (weeks(2), "2026-03-16", 6),
        (parse_month("2026-03"), "2026-03-30", 6),  # its last complete week ends on a Sunday
        (parse_quarter("2026-Q1"), "2026-03-30", 6),
        (parse_month("2027-02"), "2027-03-01", 6),  # four whole weeks, which are a block already
        (weeks(-50, 2), "2026-03-16", 13),  # a year is drawn whole
    ],
)
def test_blocks_end_with_the_last_complete_week(window: Window, last: str, count: int) -> None:
    ends = block_ends(reported(window, *BUSY))

    assert (ends[-1], len(ends)) == (last, count)


def test_blocks_add_up_and_only_complete_ones_have_a_median() -> None:
    with empty_store() as store:
        store.save(SOURCE, [*BUSY, *collected("Mon1 00:00", "Mon3 00:00")])
        found = report(store, Rules(), Asked(window=weeks(2)))
    of = {f.window.label: f for f in found.figures if f.metric == "change_lead_time"}

    block = of["2026-02-16..2026-03-16"]  # only two weeks of it were collected
    assert (block.n, block.value, block.partial) == (16, None, True)
    assert {f.metric for f in found.figures if f.window == block.window} >= set(BY_BLOCK)


def test_lead_times_are_those_of_the_figure_in_order() -> None:
    with cutting(shipping("Tue 10:00 90m ann\nTue 11:00 20m ben\nTue 12:00 9h bot")) as cut:
        found = distribution(cut)

    assert (found.n, found.seconds) == (2, (1200.0, 5400.0))
    assert found.within == {"hour": 1, "day": 2, "week": 2, "month": 2}


def test_many_lead_times_are_thinned_to_quantiles_with_both_ends() -> None:
    rows = "\n".join(f"Tue 10:00 {n + 1}m ann" for n in range(900))
    with cutting(shipping(rows)) as cut:
        found = distribution(cut)

    assert (found.n, len(found.seconds)) == (900, MOST_DRAWN)
    assert (found.seconds[0], found.seconds[-1]) == (60.0, 900 * 60.0)
    assert abs(np.median(found.seconds) - 450.5 * 60) < 60


def test_recoveries_are_confirmed_failures_with_open_ones_until_now() -> None:
    history = [
        *shipping("Tue 10:00 1h ann\nWed 10:00 1h ann\nThu 10:00 1h ann"),
        incident("over", "Tue 11:00", "Tue 12:00", cause_deployment="shop-d1"),
        incident("open", "Wed 11:00", cause_deployment="shop-d2"),
        incident("near", "Thu 11:00", "Thu 12:00"),  # suspected by time alone
        *collected(BEGIN, "Mon2 00:00"),
    ]
    with cutting(history) as cut:
        found = recoveries(cut)

    assert [(f"{one.on:%a}", one.seconds / 3600, one.open) for one in found] == [
        ("Tue", 1.0, False),
        ("Wed", 4 * 24 + 13.0, True),
    ]


@pytest.mark.parametrize(
    ("until", "weeks_told"),
    [
        ("Mon3 00:00", (2, 0, None)),
        ("Tue2 00:00", (2, None, None)),  # one day without a deployment is no week without
        ("Wed 12:00", (2, None, None)),
    ],
)
def test_weeks_of_a_service_tell_a_gap_from_none(
    until: str, weeks_told: tuple[int | None, ...]
) -> None:
    history: list[AnyRecord] = [
        deploy("d1", "Tue 10:00", None),
        deploy("d2", "Wed 10:00", None),
        *collected("Mon 00:00", until),
    ]
    with cutting(history, weeks(1, 3)) as cut:
        found = by_week(cut.facts, [week for week, _ in weeks_in(cut.window)])

    assert [(one.service, one.weeks) for one in found] == [("shop", weeks_told)]


def test_no_samples_are_read_for_an_output_without_charts() -> None:
    with empty_store() as store:
        store.save(SOURCE, [*BUSY, *collected(BEGIN, END)])
        found = report(store, Rules(), Asked(window=weeks(2), drawn=False))

    assert found.history is None
    assert len(block_ends(found)) < 2  # the headline's alone
