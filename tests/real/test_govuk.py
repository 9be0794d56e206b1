"""The product itself, import and report, on 20 months of three real services.

The numbers are those an independent reading of docs/metrics.md gave.
"""

from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from govuk import FOLDER, needs_govuk

from vpemetrics.metrics.dora import reference
from vpemetrics.metrics.figures import Figure, Scope
from vpemetrics.rules import Rules
from vpemetrics.store import Store
from vpemetrics.usecases.files import import_files
from vpemetrics.usecases.reporting import Asked, report
from vpemetrics.window import Window, weeks_in

pytestmark = [pytest.mark.needs_shared_data, needs_govuk]

SERVICES = ("frontend", "publishing-api", "signon")
EVERYTHING = Window(start=date(2025, 1, 1), end=date(2026, 8, 23))

Find = Callable[..., Figure]


@pytest.fixture(scope="module")
def find(tmp_path_factory: pytest.TempPathFactory) -> Find:
    """Looks up a figure, of a window or a part of it, in a report from imported files."""
    store = Store.open(tmp_path_factory.mktemp("govuk") / "store.db")
    import_files(store, [Path(FOLDER)], Rules(), warn=print, progress=lambda _count: None)

    @cache
    def figures(service: str, window: Window) -> list[Figure]:
        scope = Scope(kind="service", name=service)
        found = report(store, Rules(), Asked(window=window, service=service)).figures
        return [one for one in found if one.scope == scope]

    def find(
        service: str, metric: str, window: Window = EVERYTHING, part: Window | None = None
    ) -> Figure:
        wanted = reference(part or window)
        found = figures(service, window)
        return next(one for one in found if (one.metric, one.window) == (metric, wanted))

    return find


@pytest.mark.slow
@pytest.mark.parametrize(
    ("service", "total", "kinds"),
    [
        ("frontend", 799, (789, 3, 2, 5)),
        ("publishing-api", 703, (688, 5, 5, 5)),
        ("signon", 475, (455, 1, 2, 17)),
    ],
)
def test_deployments_are_counted_by_kind(
    find: Find, service: str, total: int, kinds: tuple[int, ...]
) -> None:
    frequency = find(service, "deployment_frequency")

    found = tuple(frequency.beside[kind] for kind in ("forward", "redeploy", "rollback", "stale"))
    assert (frequency.n, found) == (total, kinds)


@pytest.mark.parametrize(
    ("service", "failed", "suspected", "rework"),
    [("frontend", 0, 5, 2), ("publishing-api", 3, 8, 5), ("signon", 1, 2, 2)],
)
def test_failures_and_rework_are_counted(
    find: Find, service: str, failed: int, suspected: int, rework: int
) -> None:
    sure = find(service, "change_fail_rate")
    with_suspected = find(service, "change_fail_rate_with_suspected")

    assert sure.k == failed
    assert (with_suspected.k or 0) - (sure.k or 0) == suspected
    assert find(service, "deployment_rework_rate").k == rework
    assert (sure.value, sure.note) == (None, "no incident source")


@pytest.mark.parametrize(
    ("service", "people", "bots", "hours"),
    [
        ("frontend", 516, 491, 23.118),
        ("publishing-api", 499, 523, 22.959),
        ("signon", 63, 1052, 15.502),
    ],
)
def test_lead_time_is_the_known_median_of_the_known_changes(
    find: Find, service: str, people: int, bots: int, hours: float
) -> None:
    lead = find(service, "change_lead_time")

    assert (lead.n, lead.excluded["automation"]) == (people, bots)
    assert round((lead.value or 0) / 3600, 3) == hours
    assert lead.attribution == "graph"


@pytest.mark.parametrize("service", SERVICES)
def test_every_merged_pull_request_is_shipped_waiting_or_left_out(find: Find, service: str) -> None:
    said = find(service, "change_lead_time").beside

    assert said["merged"] == said["merged_shipped"] + said["waiting"] + said["merged_excluded"]


@pytest.mark.parametrize("service", SERVICES)
def test_the_weeks_of_a_quarter_add_up_to_it(find: Find, service: str) -> None:
    quarter = Window(start=date(2026, 4, 1), end=date(2026, 7, 1))
    weeks = [week for week, _ in weeks_in(quarter)]

    for metric in ("deployment_frequency", "change_lead_time", "deployment_rework_rate"):
        found = [find(service, metric, quarter, part=week).n for week in weeks]
        assert sum(count or 0 for count in found) == find(service, metric, quarter).n
