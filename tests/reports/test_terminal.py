import re
from collections.abc import Callable

import pytest
from anyreports import RATES, reports
from example_reports import (
    ACME,
    EXAMPLES,
    FOUR,
    NO_SOURCE,
    QUARTER,
    THIRTEEN,
    WEEK,
    figure,
    frequency,
    full_week,
    long_names,
    proportion,
    report,
    single_weeks,
)
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from tiers import law

from vpemetrics.metrics.figures import Scope, Unit
from vpemetrics.reports import words
from vpemetrics.reports.model import Problem, Report
from vpemetrics.reports.terminal import Style, render, render_file


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_report_reads_as_its_golden_file(
    name: str, same_as_golden: Callable[[str, bytes], None]
) -> None:
    same_as_golden(f"terminal/{name}.txt", render_file(EXAMPLES[name]()))


@pytest.mark.parametrize("name", ["full-week", "long-names"])
def test_a_wide_terminal_has_a_golden_file_of_its_own(
    name: str, same_as_golden: Callable[[str, bytes], None]
) -> None:
    same_as_golden(f"terminal/{name}-120.txt", render(EXAMPLES[name](), width=120).encode())


@pytest.mark.parametrize("name", EXAMPLES)
def test_colour_adds_nothing_to_the_words(name: str) -> None:
    colored = render(EXAMPLES[name](), color=True)

    assert re.sub(r"\x1b\[[\d;]*m", "", colored) == render(EXAMPLES[name]())
    assert "\x1b" in colored


def luminance(colour: int) -> float:
    """How bright one of a terminal's colours 16 to 255 is.

    https://en.wikipedia.org/wiki/ANSI_escape_code#8-bit,
    https://www.w3.org/TR/WCAG21/#dfn-relative-luminance
    """
    if colour >= 232:
        parts = [8 + 10 * (colour - 232)] * 3
    else:
        steps = (0, 95, 135, 175, 215, 255)
        parts = [steps[(colour - 16) // place % 6] for place in (36, 6, 1)]
    shares = [part / 255 for part in parts]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in shares]
    return sum(share * one for share, one in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("style", [one for one in Style if one.startswith("38;5;")])
def test_colours_can_be_read_on_white_and_on_black(style: Style) -> None:
    bright = luminance(int(style.rpartition(";")[2]))

    assert 1.05 / (bright + 0.05) >= 4.5
    assert (bright + 0.05) / 0.05 >= 4.4  # no orange of the 256 is nearer to 4.5


def test_a_name_cannot_bring_its_own_colour() -> None:
    assert "\x1b" not in render(long_names())


def test_a_gap_in_the_weeks_is_not_a_zero() -> None:
    drawn = render(report([frequency(WEEK, 4), *single_weeks([2, 0, None, 1])]))

    assert "Deployments/wk, 5 wk   ▅▁·▃█  0 to 4 a week" in drawn
    assert "(▁ none, · not collected)" in drawn


def test_weeks_before_the_report_are_no_gaps() -> None:
    drawn = render(report([frequency(WEEK, 4), *single_weeks([None, 2])]))

    assert "Deployments/wk, 3 wk   ·▅█  2 to 4 a week" in drawn


def test_no_more_than_26_weeks_are_drawn() -> None:
    drawn = render(report([frequency(WEEK, 4), *single_weeks([9, *[4] * 25])]))

    assert f"Deployments/wk, 26 wk  {'█' * 26}  4 a week" in drawn


def test_a_partial_week_is_drawn_hollow() -> None:
    drawn = render(report([frequency(WEEK, 4, partial=True), *single_weeks([2, 2])], partial=True))

    assert "██○  2 a week" in drawn
    assert "○ partial week" in drawn


def test_the_headline_column_goes_when_it_says_the_same() -> None:
    one = render(report([frequency(QUARTER, 131)], window=QUARTER, headline=QUARTER))

    assert "2026-Q3 [95% CI]" in one
    assert one.count("131") == 1


def test_a_range_is_named_by_its_dates() -> None:
    text = render(report([frequency(FOUR, 178)], window=FOUR, headline=FOUR))

    assert "Acme engineering · 10 Aug–6 Sep 2026 (Europe/Dublin) · data to" in text
    assert "10 Aug–6 Sep 2026 [95% CI]" in text


def test_numbers_too_wide_for_two_columns_stand_below_each_other() -> None:
    n = 10**9
    wide = [proportion(metric, window, n - 1, n) for metric in RATES for window in (WEEK, FOUR)]
    sources = [
        proportion("change_fail_rate", window, n - 1, n, note=NO_SOURCE) for window in (WEEK, FOUR)
    ]

    text = render(report([*sources, *wide[2:]]))

    assert text.index("This week\n") < text.index("4 weeks [95% CI]\n")
    assert text.count("at least 999,999,999/1,000,000,000 (no incident source)") == 2


def test_a_service_without_room_for_its_name_gets_a_line_for_it() -> None:
    name = "a-service-with-a-name-nobody-can-remember"

    assert f"Open   {name}\n         0badc0d  " in render(long_names())


def test_recovered_failures_are_not_called_open() -> None:
    recovered = full_week().failures[0].model_copy(update={"open": False})

    assert "\nOpen" not in render(full_week().model_copy(update={"failures": (recovered,)}))


def test_changes_matched_by_time_are_said_to_be() -> None:
    lead = figure("change_lead_time", FOUR, 60, Unit.SECONDS, n=9, deployments=7)
    by_time = lead.model_copy(update={"attribution": "time"})

    assert "shipped by time, not by commit" in render(report([by_time]))
    assert "shipped by time" not in render(report([lead]))


some = law(40, soak=5_000)


@pytest.mark.slow
@some
@given(reports(), st.sampled_from([40, 80, 120]))
def test_no_line_is_wider_than_the_terminal(generated: Report, width: int) -> None:
    lines = render(generated, width=width).splitlines()

    assert max(map(cell_len, lines)) <= max(width, 80)


@pytest.mark.slow
@some
@given(reports())
def test_every_share_shown_is_the_one_in_the_figures(generated: Report) -> None:
    text = render(generated)

    for metric in ("share_within_24h", *RATES):
        for window in (WEEK, FOUR):
            shown = generated.figure(metric, window)
            assert shown is not None
            if shown.n and (shown.k or shown.note != words.NO_INCIDENT_SOURCE):
                assert words.ratio(shown.k or 0, shown.n) in text


@pytest.mark.slow
@some
@given(reports())
def test_every_median_shown_is_the_one_in_the_figures(generated: Report) -> None:
    text = render(generated)

    for window in (WEEK, FOUR):
        shown = generated.figure("change_lead_time", window)
        assert shown is not None
        values = [shown.value] if shown.value is not None else shown.values
        if shown.note != NO_SOURCE:
            assert all(words.duration(value) in text for value in values)


def test_the_figures_of_others_are_not_shown() -> None:
    other = Scope(kind="team", name="payments")
    both = report([frequency(WEEK, 4), frequency(WEEK, 977, other)], scope=ACME)

    assert "977" not in render(both)


def test_a_command_that_mends_a_problem_can_be_copied() -> None:
    fetch = "git -C /srv/clones/checkout fetch origin '+refs/pull/*/head:refs/pull/*/head'"
    problem = Problem(reason="starts_at_merge", count=7, remedy="fetch them", command=fetch)

    text = render(full_week().model_copy(update={"problems": (problem,)}))

    assert (
        "     → fetch them\n"
        "       git -C /srv/clones/checkout fetch origin \\\n"
        "       '+refs/pull/*/head:refs/pull/*/head'\n"
    ) in text


@pytest.mark.parametrize(
    ("note", "said"),
    [
        ("monthly", "and 13 weeks, as deployments are lately monthly · data to"),
        ("weekly", "Dublin) · data to"),  # too few lead times for 4 weeks, no matter of cadence
    ],
)
def test_the_head_says_why_the_longer_window_is_that_long(note: str, said: str) -> None:
    figures = [frequency(WEEK, 0), frequency(THIRTEEN, 12, note=note)]

    assert said in render(report(figures, headline=THIRTEEN))


def test_weeks_without_a_deployment_are_not_drawn() -> None:
    quiet = report([frequency(WEEK, 0), *single_weeks([0] * 12)])

    assert "Deployments/wk, 13 wk  none\n" in render(quiet)


def test_how_many_lead_times_start_at_the_merge_stands_beside_them() -> None:
    lines = render(full_week()).splitlines()

    (at,) = (n for n, line in enumerate(lines) if line.startswith("  Lead time, median"))
    assert lines[at + 1].split("  ")[2] == "starts at merge"
    assert lines[at + 1].endswith("for 12 of 214")
