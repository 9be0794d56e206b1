"""What the charts say in words, that they can be drawn from anything, and the same every time."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from importlib import import_module
from xml.etree import ElementTree

import pytest
from drawn_reports import (
    COUNTS,
    EARLIER,
    deployments_chart,
    drawn_week,
    hardly_anything,
    history,
    stretches_chart,
)
from example_reports import (
    FOUR,
    HOUR,
    WEEK,
    empty_store,
    figure,
    frequency,
    no_incident_source,
    quiet_week,
)

from vpemetrics.metrics.figures import Unit, WindowRef
from vpemetrics.reports.charts import canvas, image
from vpemetrics.reports.charts.chart import ChartPicture
from vpemetrics.reports.model import Remark, Report
from vpemetrics.reports.registry import CHARTS
from vpemetrics.reports.words import is_week

TEXT = "{http://www.w3.org/2000/svg}text"
REPORTS = (drawn_week, hardly_anything, quiet_week, no_incident_source, empty_store)


def picture(name: str, report: Report) -> ChartPicture:
    module, attribute = CHARTS[name].split(":")
    found: ChartPicture = getattr(import_module(module), attribute)(report)
    return found


def texts(drawing: bytes | str) -> list[str]:
    """The texts in a drawing, in the order in which they are drawn."""
    source = drawing if isinstance(drawing, bytes) else with_names(drawing)
    return [one.text or "" for one in ElementTree.fromstring(source).iter(TEXT)]


def with_names(inline: str) -> str:
    """An element of a page as a document of its own."""
    spaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return inline.replace("<svg ", f"<svg {spaces} ", 1)


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_reads_as_its_golden_file(
    name: str, same_as_golden: Callable[[str, bytes], None]
) -> None:
    drawing = image.svg(picture(name, drawn_week()))

    same_as_golden(f"charts/{name}.svg", drawing)
    assert drawing == image.svg(picture(name, drawn_week()))


@pytest.mark.slow
@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_can_be_drawn_in_any_format(name: str) -> None:
    found = picture(name, drawn_week())

    assert image.png(found).startswith(b"\x89PNG")
    ElementTree.fromstring(with_names(image.inline_svg(found)))


@pytest.mark.slow
@pytest.mark.parametrize("name", CHARTS)
@pytest.mark.parametrize("made", REPORTS)
def test_a_chart_can_be_drawn_of_any_report(name: str, made: Callable[[], Report]) -> None:
    found = picture(name, made())

    assert found.name == name
    assert texts(image.svg(found))


@pytest.mark.parametrize("name", CHARTS)
def test_a_file_of_its_own_says_everything_in_text(name: str) -> None:
    found = picture(name, drawn_week())

    said = " ".join(texts(image.svg(found)))

    for sentence in (found.title, found.subtitle, found.footnote):
        assert sentence.replace("  ", " ") in said
    assert "Source: Acme engineering, collected to 7 Sep 06:00." in found.footnote
    assert found.alt.endswith(".")


@pytest.mark.parametrize("name", CHARTS)
def test_no_text_is_drawn_beyond_the_edges(name: str) -> None:
    """By the font it is measured in, which is wider than those it is shown in."""
    found = picture(name, drawn_week())
    for sheet in (canvas.COLUMN, canvas.ALONE):
        with image._drawing(name):
            drawn = canvas.Canvas(sheet, found.height * sheet.em)
            found.draw(drawn)
            drawn.figure.canvas.draw()
            boxes = [
                (text.get_text(), text.get_window_extent())
                for axes in drawn.figure.axes
                for text in axes.texts
            ]

        width, height = sheet.width, found.height * sheet.em
        beyond = [
            text
            for text, box in boxes
            if box.x0 < -1 or box.x1 > width + 1 or box.y0 < -1 or box.y1 > height + 1
        ]
        assert beyond == []


def test_names_are_texts_and_nothing_else() -> None:
    strange = "<script>alert(1)</script> & $x_1$ 会議"
    week = drawn_week().model_copy(update={"history": history((strange,)), "organisation": strange})

    drawing = image.svg(picture("services", week))

    assert b"<script" not in drawing
    assert "<script>" in "".join(texts(drawing))
    assert "$x_1$" in picture("services", week).footnote


def test_nothing_is_fetched_by_a_drawing() -> None:
    addresses = set(re.findall(rb'(?:href|src|url)[=(]"?([^")]+)', image.svg(
        picture("deployments", drawn_week())
    )))  # fmt: skip

    assert {address[:1] for address in addresses} <= {b"#"}


def test_a_week_outside_the_limits_is_told_with_its_word() -> None:
    found = picture("deployments", drawn_week())

    assert "better in 2026-W35" in found.alt
    assert "usual range 29–54" in found.alt
    assert "better" in texts(image.inline_svg(found))


def test_without_limits_there_is_no_word() -> None:
    week = drawn_week().model_copy(update={"charts": (deployments_chart([40, 9, 90]),)})

    found = picture("deployments", week)

    assert found.title == "90 deployments in W36"
    assert not {"better", "worse"} & set(found.alt.replace(",", " ").split())


def test_a_week_that_was_not_collected_whole_is_not_held_against_the_usual() -> None:
    chart = drawn_week().charts[0]
    cut = chart.points[-1].model_copy(update={"value": 3.0, "hollow": True})
    hollow = chart.model_copy(update={"points": (*chart.points[:-1], cut)})

    found = picture("deployments", drawn_week().model_copy(update={"charts": (hollow,)}))

    assert found.title == "3 deployments in W36, not collected whole"
    assert "Hollow: not collected whole." in found.footnote
    assert "29 to 71 a week; 2026-W36 3, not collected whole; " in found.alt


def test_a_longer_window_is_told_of_as_a_whole() -> None:
    """And not its last week, of which it may hold two days."""
    window = WindowRef(start=date(2026, 6, 1), end=WEEK.end, label="2026-Q3")
    chart = drawn_week().charts[0]
    cut = chart.points[-1].model_copy(update={"value": 0.0, "hollow": True})
    hollow = chart.model_copy(update={"points": (*chart.points[:-1], cut)})
    whole = drawn_week().model_copy(
        update={
            "window": window,
            "headline": window,
            "charts": (hollow,),
            "figures": (frequency(window, 763), *drawn_week().figures),
        }
    )

    found = picture("deployments", whole)

    assert found.title == "763 deployments in 2026-Q3; 29–54 a week are usual"
    assert texts(image.inline_svg(found))[-2:] == ["better", "71"]  # W35, the last whole week


def test_the_small_print_says_what_made_a_signal_one() -> None:
    assert "Better in 2026-W35: 71, usual 29–54." in picture("deployments", drawn_week()).footnote


def test_trial_limits_give_no_words() -> None:
    week = drawn_week().model_copy(update={"charts": (deployments_chart(COUNTS[-8:]),)})

    found = picture("deployments", week)

    assert "usual" not in found.title + found.alt
    assert "trial limits" in found.alt


def test_events_and_steps_have_a_number_that_the_small_print_explains() -> None:
    step, event = (WEEK.start - timedelta(weeks=ago) for ago in (20, 6))
    week = drawn_week().model_copy(
        update={
            "charts": (deployments_chart([*EARLIER, *COUNTS], [step]),),
            "remarks": (
                Remark(on=step, what="new teams", metric="deployment_frequency"),
                Remark(on=event, what="moved house"),
                Remark(on=event, what="not ours", metric="change_fail_rate"),
            ),
        }
    )

    found = picture("deployments", week)

    assert {"1", "2"} <= set(texts(image.inline_svg(found)))
    assert "1: new teams (13 Apr). 2: moved house (20 Jul)." in found.footnote
    assert "not ours" not in found.footnote


def test_uncollected_weeks_interrupt_the_line() -> None:
    week = drawn_week().model_copy(update={"charts": (deployments_chart([4, 5, None, 6, 7]),)})

    found = picture("deployments", week)

    assert "1 week not collected" in found.alt
    assert "not collected" in texts(image.inline_svg(found))


def test_blocks_say_their_medians_and_n() -> None:
    drawn = texts(image.inline_svg(picture("lead_time", drawn_week())))

    assert {"23 h", "n=214", "n=88", "not whole", "51%"} <= set(drawn)


def test_a_block_that_goes_on_is_not_said_to_hold_too_few_changes() -> None:
    ongoing = [
        one.model_copy(update={"partial": True, "value": None, "interval": None})
        if one.window == FOUR and one.metric == "change_lead_time"
        else one
        for one in drawn_week().figures
    ]

    found = picture("lead_time", drawn_week().model_copy(update={"figures": tuple(ongoing)}))

    assert found.title == "Half of all changes take at most 25 h [20–34 h], 13 Jul–9 Aug"


def test_medians_stand_clear_of_the_weeks_around_them() -> None:
    high = [
        figure("change_lead_time", one.window, 31 * HOUR, Unit.SECONDS, n=50)
        for one in drawn_week().figures
        if one.metric == "deployment_frequency" and is_week(one.window)
    ]
    with_weeks = drawn_week().model_copy(update={"figures": (*drawn_week().figures, *high)})

    def heights(report: Report) -> list[float]:
        drawing = ElementTree.fromstring(with_names(image.inline_svg(picture("lead_time", report))))
        return [float(one.get("y", "0")) for one in drawing.iter(TEXT) if one.text == "23 h"]

    assert heights(with_weeks) != heights(drawn_week())


def test_few_changes_are_dots_without_a_median() -> None:
    found = picture("lead_time", hardly_anything())

    assert found.title == "Too few changes for a median: 2 in 4 weeks"
    assert "1/2" in texts(image.inline_svg(found))


def test_a_share_is_the_one_of_the_samples() -> None:
    found = picture("lead_time_distribution", drawn_week())
    times = history().lead_times

    assert f"n={times.n}." in found.alt
    assert found.title == "63% of changes within a day, 93% in a week"
    assert round(times.within["day"] / times.n, 2) == 0.63


def test_all_stages_are_shown_and_add_up() -> None:
    drawn = texts(image.inline_svg(picture("stages", drawn_week())))

    shares = [int(text[:-1]) for text in drawn if text.endswith("%")]
    assert (len(shares), sum(shares)) == (6, 100)


def test_withheld_stages_say_why() -> None:
    found = picture("stages", quiet_week())

    assert "fewer than 3 human authors" in found.alt


def test_rates_have_a_percentage_from_twenty_on_only() -> None:
    few = texts(image.inline_svg(picture("failures_and_rework", hardly_anything())))
    many = texts(image.inline_svg(picture("failures_and_rework", drawn_week())))

    assert {"1/3", "0/3", "no percentage: fewer than 20 deployments in each"} <= set(few)
    assert not {"33%", "0.0%"} & set(few)
    assert {"7/171 p", "4.1%"} <= set(many)


def test_without_an_incident_source_failures_are_a_lower_bound() -> None:
    found = picture("failures_and_rework", no_incident_source())

    ratios = [text for text in texts(image.inline_svg(found)) if "/" in text]
    assert found.title == (
        "No incident source tells of failures; at least 1 of 31 deployments were unplanned"
    )
    assert ratios[0].startswith("≥ ")


def test_the_current_stretch_is_said_to_be_running() -> None:
    found = picture("between_failures", drawn_week())

    assert found.title.startswith("6 deployments went well since the last failure")
    assert "diamond: still running" in found.footnote


def test_only_the_last_stretches_are_drawn() -> None:
    week = drawn_week().model_copy(update={"charts": (stretches_chart([9] * 60),)})

    assert "The last 40 stretches" in picture("between_failures", week).footnote


def test_of_two_failures_on_one_day_only_the_one_that_ends_a_signal_has_a_word() -> None:
    usual = stretches_chart([*[4, 6] * 10, 60, 0, 5, 5])
    long, short = usual.points[20:22]
    same_day = short.model_copy(update={"start": long.start, "label": long.label})
    points = (*usual.points[:21], same_day, *usual.points[22:])
    week = drawn_week().model_copy(
        update={"charts": (usual.model_copy(update={"points": points}),)}
    )

    assert [one.value for one in usual.signals] == [60]
    assert texts(image.svg(picture("between_failures", week))).count("better") == 1


def test_open_failures_are_triangles_with_their_length() -> None:
    found = picture("recoveries", drawn_week())

    assert found.title == "Half are restored within 52 min [31 min–1.4 h]; 1 still open"
    assert "19 h, open" in texts(image.inline_svg(found))


def test_a_median_of_provisional_weeks_is_said_to_be_one() -> None:
    week = drawn_week()
    figures = tuple(one.model_copy(update={"provisional": True}) for one in week.figures)

    late = picture("recoveries", week.model_copy(update={"figures": figures}))
    assert "The median is provisional: failures come to light late." in late.footnote
    assert "provisional" not in picture("recoveries", week).footnote


def test_services_stand_in_the_order_of_their_names_without_merit() -> None:
    drawn = texts(image.inline_svg(picture("services", drawn_week())))

    names = [text for text in drawn if text in ("checkout", "search", "accounts")]
    assert names == ["checkout", "search", "accounts"]  # as in the report


def test_long_names_of_services_stay_apart() -> None:
    names = [f"platform-payments-service-number-{n}" for n in range(12)]
    week = drawn_week().model_copy(update={"history": history(names)})

    drawn = texts(image.inline_svg(picture("services", week), canvas.ALONE))

    shown = [text for text in drawn if text.startswith("platf")]
    assert len(set(shown)) == 12
    assert shown[11].endswith("-11")


def test_charts_of_a_year_name_few_enough_months() -> None:
    year = drawn_week().model_copy(
        update={
            "window": WEEK.model_copy(update={"start": date(2025, 9, 1), "label": "a..b"}),
            "charts": (deployments_chart([*EARLIER, *COUNTS]),),
        }
    )

    months = [
        text for text in texts(image.inline_svg(picture("deployments", year))) if len(text) == 3
        and text.isalpha()
    ]  # fmt: skip
    assert 3 <= len(months) <= 8
