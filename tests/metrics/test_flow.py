"""Stages, batch size and incidents, a rule of docs/metrics.md at a time."""

from dataclasses import replace

import pytest
from builders import at, commit, deploy, incident, pull
from measuring import BEGIN, END, WEEK, collected, cutting, measure, shipping, weeks

from vpemetrics.metrics.flow import STAGES
from vpemetrics.metrics.registry import METRICS
from vpemetrics.records import AnyRecord, AuthorKind, Change, CoverageKind
from vpemetrics.window import Window

HOUR = 3600.0


# --- stages (rules G3 and S1) --------------------------------------------------------------------


def staged(
    ready: str | None = "Mon 12:00",
    review: str | None = "Mon 16:00",
    merged: str = "Mon 18:00",
    start: str | None = "Tue 04:00",
    *,
    authors: tuple[str, ...] = ("ann", "ben", "cyd"),
) -> list[AnyRecord]:
    """Changes with the same times: first commit on Monday at 10, in production on Tuesday at 10."""
    history: list[AnyRecord] = [
        commit("base", authored_at=BEGIN),
        deploy("d0", "Sun0 12:00", "base"),
    ]
    above = "base"
    for number, author in enumerate(authors, 1):
        history += [
            commit(f"c{number}", (above,), authored_at=at("Mon 10:00")),
            pull(
                number,
                merged,
                f"c{number}",
                f"c{number}",
                author=author,
                ready_at=at(ready) if ready else None,
                first_review_at=at(review) if review else None,
            ),
        ]
        above = f"c{number}"
    started = at(start) if start else None
    return [*history, replace(deploy("d1", "Tue 10:00", above), started_at=started)]


@pytest.mark.parametrize(
    ("history", "hours"),
    [
        # coding, waiting for review, review, unreviewed, waiting to deploy, deploying
        (staged(), (2, 4, 2, 0, 10, 6)),
        (staged(review=None), (2, 0, 0, 6, 10, 6)),
        (staged(ready="Mon 09:00"), (0, 6, 2, 0, 10, 6)),  # ready before its first commit
        (staged(review="Mon 11:00"), (2, 0, 6, 0, 10, 6)),  # reviewed as a draft
        (staged(ready="Mon 17:00"), (7, 0, 1, 0, 10, 6)),
        (staged(review="Mon 20:00"), (2, 8, 0, 0, 8, 6)),  # reviewed after its merge,
        (staged(review="Wed 20:00"), (2, 22, 0, 0, 0, 0)),  # or even after its deployment
        (staged(merged="Tue 12:00", review="Tue 08:00"), (2, 20, 2, 0, 0, 0)),  # deployed before
        (staged(start="Mon 17:00"), (2, 4, 2, 0, 0, 16)),  # started before the merge
    ],
)
def test_stages_are_monotone_and_add_up_to_the_lead_time(
    history: list[AnyRecord], hours: tuple[float, ...]
) -> None:
    with cutting(history) as cut:
        figures = {stage: METRICS[f"stage_{stage}"].measure(cut) for stage in STAGES}

    shares = [figures[stage].value for stage in STAGES]
    assert shares == pytest.approx([hour / 24 for hour in hours])
    assert sum(share for share in shares if share is not None) == pytest.approx(1)
    assert [figures[stage].beside["median"] for stage in STAGES] == pytest.approx(
        [hour * HOUR for hour in hours]
    )


@pytest.mark.parametrize("history", [staged(ready=None), staged(start=None)])
def test_a_change_with_a_missing_time_is_in_no_stage(history: list[AnyRecord]) -> None:
    found = measure("stage_coding", history)

    assert (found.value, found.n, found.note) == (None, 0, "no change has all times known")


def test_shares_are_of_the_changes_with_all_times_known() -> None:
    history: list[AnyRecord] = [
        replace(row, ready_at=None) if isinstance(row, Change) and row.number == 1 else row
        for row in staged()
    ]

    found = measure("stage_coding", history)

    assert found.n == 2
    assert found.value == pytest.approx(2 / 24)


@pytest.mark.parametrize(
    ("authors", "shown"),
    [
        (("ann", "ben", "cyd"), True),
        (("ann", "ben"), False),
        (("ann", "ben", "ann", "ben"), False),  # four changes of two people
    ],
)
def test_stages_of_fewer_than_three_authors_are_withheld(
    authors: tuple[str, ...], shown: bool
) -> None:
    with cutting(staged(authors=authors)) as cut:
        figures = [METRICS[f"stage_{stage}"].measure(cut) for stage in STAGES]

    for found in figures:
        assert (found.value is not None) is shown
        if not shown:
            assert (found.n, found.beside) == (None, {})
            assert found.note == "withheld: fewer than 3 human authors"


def test_where_no_stage_is_known_nothing_is_withheld() -> None:
    history = [
        replace(row, author=None, ready_at=None) if isinstance(row, Change) else row
        for row in staged()
    ]

    found = measure("stage_coding", history)

    assert (found.value, found.n, found.note) == (None, 0, "no change has all times known")


@pytest.mark.parametrize("kind", [AuthorKind.AUTOMATION, AuthorKind.AGENT])
def test_programs_are_no_human_authors(kind: AuthorKind) -> None:
    history: list[AnyRecord] = [
        replace(row, author_kind=kind) if isinstance(row, Change) and row.author == "cyd" else row
        for row in staged()
    ]

    assert measure("stage_coding", history).note == "withheld: fewer than 3 human authors"


# --- batch size (rule S2) ------------------------------------------------------------------------


def test_batch_size_counts_changes_by_automation_with_the_human_count_beside() -> None:
    history = shipping("""
        Tue 10:00 2h ann
        Tue 10:00 2h bot
        Tue 10:00 2h bot
        Wed 10:00 2h ann
        Thu 10:00 2h ben
        Thu 10:00 2h bot
    """)

    found = measure("batch_size", history)

    assert (found.value, found.n, found.beside["human"]) == (2.0, 3, 1.0)  # 3, 1 and 2


def test_deployments_whose_changes_are_unknown_have_no_batch() -> None:
    history: list[AnyRecord] = [
        *shipping("Tue 10:00 2h ann", first="Mon 10:00"),  # the first ships nothing counted
        deploy("d?", "Wed 10:00", None),
        deploy("again", "Thu 10:00", "shop-1"),  # a redeploy
    ]

    found = measure("batch_size", history)

    assert (found.value, found.n) == (1.0, 1)


@pytest.mark.parametrize(
    ("kinds", "size"),
    [
        ((CoverageKind.DEPLOYMENTS,), None),  # nobody asked for pull requests
        ((CoverageKind.DEPLOYMENTS, CoverageKind.PULL_REQUESTS), 0.0),  # there were none
    ],
)
def test_without_any_source_of_changes_a_batch_is_unknown_and_not_empty(
    kinds: tuple[CoverageKind, ...], size: float | None
) -> None:
    history: list[AnyRecord] = [
        deploy("first", "Mon 10:00", None),
        deploy("second", "Tue 10:00", None),
        *collected(BEGIN, END, *kinds),
    ]

    assert measure("batch_size", history).value == size


def test_changed_lines_are_a_median_of_the_changes_that_say() -> None:
    sizes = {1: (1, 1), 2: (5, 5), 3: (40, 60), 4: (None, 3)}
    history: list[AnyRecord] = [
        replace(row, additions=sizes[row.number or 0][0], deletions=sizes[row.number or 0][1])
        if isinstance(row, Change)
        else row
        for row in shipping("\n".join(f"Tue 1{n}:00 2h ann" for n in range(4)))
    ]

    assert measure("batch_size", history).beside["lines"] == 10.0


def test_a_window_without_forward_deployments_has_no_batch_size() -> None:
    assert measure("batch_size", shipping("Tue 10:00 2h ann"), weeks(3)).value is None


# --- incidents (rules F6 and F7) -----------------------------------------------------------------


def test_incident_restore_time_is_of_all_incidents_that_began_in_the_window() -> None:
    history: list[AnyRecord] = [
        deploy("d1", "Sun0 12:00", None),
        incident("I1", "Mon 10:00", "Mon 12:00"),
        incident("I2", "Tue 10:00", "Tue 11:00", external=True),
        incident("I3", "Sun 23:00", "Mon2 02:00"),  # booked to where it began
        incident("I4", "Sun0 23:00", "Mon 02:00"),
        incident("I5", "Wed 10:00", "Wed 14:00", mitigated_at=at("Wed 10:30")),
        incident("I6", "Thu 10:00", "Thu 09:00"),
    ]

    found = measure("incident_restore_time", history)

    assert found.values == (0.5 * HOUR, 1 * HOUR, 2 * HOUR, 3 * HOUR)
    assert (found.n, found.excluded) == (4, {"negative": 1})


def test_an_incident_that_ends_before_its_window_and_its_start_is_left_out_there() -> None:
    history: list[AnyRecord] = [
        deploy("d1", "Sun0 12:00", None),
        incident("I1", "Thu 10:00", "Thu0 09:00", severity=1),
    ]

    for metric in ("incident_restore_time", "customers_affected_time"):
        found = measure(metric, history)

        assert (found.n, found.excluded) == (0, {"negative": 1})


def test_an_incident_of_another_service_is_not_ours() -> None:
    history: list[AnyRecord] = [
        deploy("d1", "Sun0 12:00", None),
        deploy("d2", "Sun0 12:00", None, service="cart"),
        incident("I1", "Mon 10:00", "Mon 12:00", service=("cart",)),
        incident("I2", "Mon 10:00", "Mon 13:00", service=("cart", "shop")),
        incident("I3", "Mon 10:00", "Mon 14:00", service=()),
    ]

    assert measure("incident_restore_time", history).values == (3 * HOUR,)
    assert measure("incident_restore_time", history, service=None).n == 3


@pytest.mark.parametrize(
    ("incidents", "hours"),
    [
        ([], 0),
        ([incident("I1", "Mon 10:00", "Mon 12:00", severity=2)], 2),
        ([incident("I1", "Mon 10:00", "Mon 12:00", severity=3)], 0),
        ([incident("I1", "Mon 10:00", "Mon 12:00")], 0),  # nobody says
        # What the incident says goes before its severity.
        ([incident("I1", "Mon 10:00", "Mon 12:00", severity=1, customer_affecting=False)], 0),
        ([incident("I1", "Mon 10:00", "Mon 12:00", severity=4, customer_affecting=True)], 2),
        # Clipped to the window.
        ([incident("I1", "Sun0 22:00", "Mon 03:00", severity=1)], 3),
        ([incident("I1", "Sun 22:00", "Mon2 03:00", severity=1)], 2),
        ([incident("I1", "Sat0 22:00", "Mon3 03:00", severity=1)], 168),
        ([incident("I1", "Sat0 22:00", "Mon 00:00", severity=1)], 0),  # over as it begins
        # The union over all services.
        (
            [
                incident("I1", "Mon 10:00", "Mon 12:00", severity=1),
                incident("I2", "Mon 11:00", "Mon 13:00", severity=1, service=("cart", "shop")),
                incident("I3", "Tue 11:00", "Tue 12:00", severity=1),
            ],
            4,
        ),
        ([incident("I1", "Tue 11:00", "Tue 09:00", severity=1)], 0),  # ends before it begins
    ],
)
def test_customers_affected_is_the_union_within_the_window(
    incidents: list[AnyRecord], hours: float
) -> None:
    found = measure("customers_affected_time", [deploy("d1", "Sun0 12:00", None), *incidents])

    assert found.value == hours * HOUR


@pytest.mark.parametrize(
    ("updated", "window", "hours", "forgotten"),
    [
        (None, weeks(1), 158, 0),
        ("Mon 12:00", weeks(1), 158, 0),
        # Open up to the data's last moment, Wednesday of the fifth week at noon.
        ("Mon5 12:00", weeks(5), 60, 0),
        ("Mon 11:00", weeks(5), 0, 1),  # thirty days and an hour without an update
        ("Mon 12:00", weeks(5), 60, 0),  # exactly thirty days
    ],
)
def test_an_open_outage_lasts_until_the_data_ends_unless_it_was_forgotten(
    updated: str | None, window: Window, hours: float, forgotten: int
) -> None:
    one = incident("I1", "Mon 10:00", None, severity=1, updated_at=at(updated) if updated else None)
    until = "Wed 12:00" if window == WEEK else "Wed5 12:00"
    history: list[AnyRecord] = [deploy("d1", "Sun0 12:00", None), one, *collected(BEGIN, until)]
    expected = min(hours, 50) if window == WEEK else hours

    found = measure("customers_affected_time", history, window)

    assert found.value == expected * HOUR
    assert found.excluded.get("open_without_update", 0) == forgotten


def test_without_an_incident_source_nothing_is_known_of_customers() -> None:
    history: list[AnyRecord] = [
        deploy("d1", "Mon 12:00", None),
        *collected(BEGIN, "Mon9 00:00", CoverageKind.DEPLOYMENTS),
    ]

    for metric in ("customers_affected_time", "incident_restore_time"):
        found = measure(metric, history)

        assert (found.value, found.note) == (None, "no incident source")
