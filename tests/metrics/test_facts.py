"""Stretches, coverage and slices: what figures stand on."""

import pytest
from builders import at, deploy
from hypothesis import given
from hypothesis import strategies as st
from measuring import BEGIN, END, WEEK, collected, cutting, shipping, weeks

from vpemetrics.metrics.facts import length, seconds_between
from vpemetrics.records import AnyRecord, CoverageKind
from vpemetrics.rules import Rules, Service
from vpemetrics.window import MISSING, SECOND, Window, to_micros

stretches = st.lists(
    st.tuples(st.integers(0, 60), st.integers(1, 20)).map(lambda pair: (pair[0], sum(pair))),
    max_size=12,
)

AFTER_WEDNESDAY = collected("Wed 00:00", "Mon2 00:00")


@given(stretches)
def test_a_union_is_as_long_as_the_moments_it_holds(spans: list[tuple[int, int]]) -> None:
    moments = {moment for start, end in spans for moment in range(start, end)}

    assert length(spans) == len(moments) / SECOND


def test_seconds_between_unknown_moments_are_unknown() -> None:
    found = seconds_between([0, MISSING, 5 * SECOND], [2 * SECOND, SECOND, MISSING])

    assert found[0] == 2
    assert [value != value for value in found] == [False, True, True]


@pytest.mark.parametrize(
    ("coverage", "window", "covered", "partial"),
    [
        (collected("Mon 00:00", "Mon2 00:00"), WEEK, True, False),
        (collected("Mon 00:01", "Mon2 00:00"), WEEK, False, True),
        (collected("Mon 00:00", "Sun 23:59"), WEEK, False, True),
        (
            collected("Mon 00:00", "Wed 00:00") + collected("Wed 00:00", "Mon2 00:00"),
            WEEK,
            True,
            False,
        ),
        (
            collected("Mon 00:00", "Wed 00:00") + collected("Thu 00:00", "Mon2 00:00"),
            WEEK,
            False,
            True,
        ),
        (collected(BEGIN, END, scope="cart"), WEEK, False, True),
        (collected("Mon 00:00", "Mon2 00:00"), weeks(1, 2), False, True),
        # A week of Dublin in April begins an hour before the one of UTC.
        (collected("Mon6 00:00", "Mon7 00:00"), weeks(6, zone="Europe/Dublin"), False, True),
        (collected("Sun5 23:00", "Sun6 23:00"), weeks(6, zone="Europe/Dublin"), True, False),
    ],
)
def test_a_window_is_whole_if_all_of_it_was_collected(
    coverage: list[AnyRecord], window: Window, covered: bool, partial: bool
) -> None:
    with cutting([deploy("d", "Tue 10:00", None), *coverage], window) as cut:
        assert (cut.covered_services == ("shop",)) is covered
        assert cut.partial is partial


@pytest.mark.parametrize(
    ("coverage", "sourced"),
    [
        (collected(BEGIN, END, CoverageKind.DEPLOYMENTS), False),
        (collected(BEGIN, END), True),
        # Half of the week was collected; incidents over that half are enough.
        (collected(BEGIN, "Wed 00:00"), True),
        (
            collected(BEGIN, "Fri 00:00", CoverageKind.DEPLOYMENTS)
            + collected(BEGIN, "Wed 00:00", CoverageKind.INCIDENTS),
            False,
        ),
        (collected(BEGIN, END, CoverageKind.INCIDENTS), False),  # of nothing collected
    ],
)
def test_incidents_have_to_be_known_of_all_that_was_collected(
    coverage: list[AnyRecord], sourced: bool
) -> None:
    with cutting([deploy("d", "Tue 10:00", None), *coverage]) as cut:
        assert (cut.with_incidents == ("shop",)) is sourced


def test_a_scope_holds_its_services_only_and_a_quiet_one_nothing() -> None:
    rules = Rules(services=(Service(name="quiet"),))
    history = [*shipping("Tue 10:00 2h ann"), *shipping("Tue 10:00 2h ann", "cart")]

    for service, deployed in (("shop", 1), ("cart", 1), ("quiet", 0), (None, 2)):
        with cutting(history, service=service, rules=rules) as cut:
            assert (len(cut.deployed), len(cut.changes)) == (deployed, deployed)


def test_a_slice_holds_what_finished_in_the_window_edges_as_they_are() -> None:
    moments = ("Sun0 23:59:59", "Mon 00:00:00", "Wed 10:00", "Sun 23:59:59", "Mon2 00:00:00")

    with cutting([deploy(when, when, None) for when in moments], weeks(1)) as cut:
        found = cut.deployed["finished_at"].tolist()

    assert found == [to_micros(at(when)) for when in moments[1:4]]
