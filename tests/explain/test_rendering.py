from datetime import UTC, date, datetime

import pytest

from vpemetrics.explain.model import Entry, Explanation, RecordGroup
from vpemetrics.explain.rendering import render
from vpemetrics.metrics.figures import Figure, FigureCoverage, Scope, Unit, WindowRef

WINDOW = WindowRef(start=date(2026, 8, 10), end=date(2026, 9, 7), label="2026-08-10..2026-09-07")
STARTED = datetime(2025, 11, 28, 19, 5, tzinfo=UTC)


def explanation(*entries: Entry, services: int = 1) -> Explanation:
    """Lead times of a window, as many services being known."""
    figure = Figure(
        metric="change_lead_time",
        definition_id="change_lead_time/1",
        scope=Scope(kind="organisation", name="Acme"),
        window=WINDOW,
        value=3600.0,
        unit=Unit.SECONDS,
        n=len(entries),
        coverage=FigureCoverage(services=services, of=services),
    )
    group = RecordGroup(title="Changes", role="n", unit=Unit.SECONDS, entries=entries)
    return Explanation(
        version="1",
        subject="metric",
        id="change_lead_time",
        title="Lead time",
        zone="UTC",
        figure=figure,
        groups=(group,),
    )


def entry(id_: str, started: datetime | None = None) -> Entry:
    at = datetime(2026, 9, 1, 12, tzinfo=UTC)
    return Entry(
        kind="pull_request",
        id=id_,
        service="shop",
        at=at,
        start_at=started,
        value=7200.0,
        what="in d1",
    )


@pytest.mark.parametrize(("services", "line"), [(1, "12:00  #1  2.0 h"), (2, "12:00  shop  #1")])
def test_a_service_is_named_where_there_are_several(services: int, line: str) -> None:
    assert f"  1 Sep {line}" in render(explanation(entry("#1"), services=services))


def test_columns_stay_straight_where_a_start_has_no_room() -> None:
    short, long = entry("#1", STARTED), entry("acme-recommendations/backend-for-it#12345", STARTED)

    lines = render(explanation(short, long)).splitlines()

    assert lines[lines.index("Changes: 2") + 1 :] == [
        f"  1 Sep 12:00  {'#1':<41}  2.0 h",
        "      from 28 Nov 2025 19:05; in d1",
        "  1 Sep 12:00  acme-recommendations/backend-for-it#12345  2.0 h",
        "      from 28 Nov 2025 19:05; in d1",
    ]
