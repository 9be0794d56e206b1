"""What reports say of limits and signals, and that a narrow terminal loses none of it."""

import json
from collections.abc import Sequence
from datetime import timedelta

import pytest
from example_reports import ACME, FOUR, WEEK, full_week, weeks_to

from vpemetrics.metrics.charts import Chart, ChartKind, Point
from vpemetrics.metrics.comparisons import TargetWord
from vpemetrics.metrics.signals import add_words, chart, lasting_run, step_to_paste
from vpemetrics.reports import content, jsonreport, signal_words, terminal
from vpemetrics.reports.model import Exceptions, NewLevel, Outside, Report, TargetStatus
from vpemetrics.reports.summary import summarise

# A mean of 40, and limits of 40 ± 2.66 × 4.16.
LEVEL = [36, 44, 44, 36] * 6 + [36, 44]
LIMITS = "29–51"


def deployments(
    values: Sequence[float], metric: str = "deployment_frequency", n: int = 40
) -> Chart:
    """A chart of weeks, of so many deployments each, of which the last is that of the report."""
    first = WEEK.start - timedelta(weeks=len(values) - 1)
    points = [
        Point(
            label=f"{on.isocalendar().year}-W{on.isocalendar().week:02d}",
            start=on,
            value=value,
            k=None if metric == "deployment_frequency" else round(value * n),
            n=None if metric == "deployment_frequency" else n,
        )
        for at, value in enumerate(values)
        for on in [first + timedelta(weeks=at)]
    ]
    return chart(metric, ACME, ChartKind.XMR, points)


def stretches(values: Sequence[float]) -> Chart:
    """A chart of the deployments between failures, a failure a day."""
    points = [
        Point(label=str(on), start=on, value=value)
        for at, value in enumerate(values)
        for on in [WEEK.end - timedelta(days=len(values) - at)]
    ]
    return chart("change_fail_rate", ACME, ChartKind.G, points)


def with_charts(*charts: Chart, weeks: int = 4) -> Report:
    """The full week beside so many weeks, with charts and what they say of its figures."""
    bare, headline = full_week(), weeks_to(WEEK, weeks)
    beside = [
        one.model_copy(update={"window": headline}) if one.window == FOUR else one
        for one in bare.figures
    ]
    figures = tuple(add_words(beside, charts))
    return bare.model_copy(update={"charts": charts, "figures": figures, "headline": headline})


@pytest.mark.parametrize(
    ("values", "usual", "word", "limits"),
    [
        ([*LEVEL, 40], LIMITS, "usual", f"limits {LIMITS}, of 2026-W10 to 2026-W35"),
        ([*LEVEL, 28], LIMITS, "worse", f"limits {LIMITS}, of 2026-W10 to 2026-W35"),
        ([*LEVEL, 52], LIMITS, "better", f"limits {LIMITS}, of 2026-W10 to 2026-W35"),
        ([*LEVEL, 52, 40], LIMITS, "better W35", f"limits {LIMITS}, of 2026-W09 to 2026-W34"),
        # What is bad among the last weeks goes before what is good.
        ([*LEVEL, 52, 20, 40], LIMITS, "worse W35", f"limits {LIMITS}, of 2026-W08 to 2026-W33"),
        ([*LEVEL, 20, *[40] * 4], LIMITS, "usual", f"limits {LIMITS}, of 2026-W06 to 2026-W31"),
        (LEVEL[:10], "", "", "trial limits 29–51, 10 of 26 weeks"),
        (LEVEL[:5], "", "", "limits after 5 of 26 weeks"),
        ([1, 2] * 14, "", "", ""),  # too few for limits
    ],
)
def test_a_week_is_said_to_be_usual_or_not(
    values: list[float], usual: str, word: str, limits: str
) -> None:
    report = with_charts(deployments(values))

    metric = "deployment_frequency"
    assert signal_words.usual_of(report, metric) == usual
    assert signal_words.standing_of(report, metric) == word
    assert signal_words.limits(report) == limits


def test_without_charts_nothing_is_said() -> None:
    report = full_week()

    assert signal_words.limits(report) == ""
    assert not signal_words.has_words(report)
    assert "Usual/wk" not in terminal.render(report)


@pytest.mark.parametrize(
    ("n", "scale", "value", "usual"),
    [(40, 400, "15% 6/40", "7.2–12.8%"), (12, 80, "9/12", "36.2–63.8%")],
)
def test_a_rate_has_limits_in_percent(n: int, scale: int, value: str, usual: str) -> None:
    values = [one / scale for one in [*LEVEL, 60]]
    report = with_charts(deployments(values, "deployment_rework_rate", n))

    assert signal_words.usual_of(report, "deployment_rework_rate") == usual
    assert [*signal_words.signal_reasons(report)] == [
        f"Rework rate worse in 2026-W36: {value}, usual {usual}"
    ]


@pytest.mark.parametrize(
    ("drawn", "told"),
    [
        (deployments([*LEVEL, 20]), [f"Deployments worse in 2026-W36: 20, usual {LIMITS}"]),
        (
            deployments([*LEVEL, *[41] * 8]),
            ["Deployments better in 2026-W36: eight weeks in a row above 40"],
        ),
        (
            stretches([*[4, 6] * 10, 40]),
            ["Change fail rate better on 6 Sep: 40 without in between, usual up to 21"],
        ),
        (
            stretches([*[4, 6] * 10, *[1] * 8]),
            ["Change fail rate worse on 6 Sep: eight stretches in a row shorter than 5"],
        ),
        (deployments([*LEVEL, 20, *[40] * 4]), []),  # longer ago than the table reaches
    ],
)
def test_each_signal_is_told_with_its_reason(drawn: Chart, told: list[str]) -> None:
    assert [*signal_words.signal_reasons(with_charts(drawn))] == told


LOW = f"20, usual {LIMITS}"


@pytest.mark.parametrize(
    ("values", "weeks", "word", "told"),
    [
        (
            [*LEVEL, *[20] * 7],
            52,
            "worse",
            [
                f"Deployments worse in 2026-W36: {LOW}",
                "6 earlier signals in 52 weeks; --json lists them",
            ],
        ),
        # Months ago is no news of this week, but nobody shall miss it either.
        (
            [*LEVEL, *[20] * 3, *[40] * 9],
            52,
            "usual",
            ["3 earlier signals in 52 weeks; --json lists them"],
        ),
        ([*LEVEL, 20, *[40] * 9], 52, "usual", [f"Deployments worse in 2026-W27: {LOW}"]),
        (
            [*LEVEL, 20, 20, 20, 40, 40],
            13,
            "worse W34",
            [
                f"Deployments worse in 2026-W34: {LOW}",
                "2 earlier signals in 13 weeks; --json lists them",
            ],
        ),
    ],
)
def test_signals_before_the_week_are_counted_unless_a_word_comes_from_them(
    values: list[float], weeks: int, word: str, told: list[str]
) -> None:
    report = with_charts(deployments(values), weeks=weeks)

    assert signal_words.standing_of(report, "deployment_frequency") == word
    assert [*signal_words.signal_reasons(report)] == told
    (drawn,) = json.loads(jsonreport.render(report))["charts"]
    assert len(drawn["signals"]) == values.count(20)


def test_a_week_that_was_not_collected_whole_says_why_it_has_no_word() -> None:
    drawn = deployments([*LEVEL, 5])
    cut = drawn.points[-1].model_copy(update={"hollow": True})
    hollow = drawn.model_copy(update={"points": (*drawn.points[:-1], cut), "signals": ()})

    assert (
        signal_words.missing_word_reason(with_charts(hollow), "deployment_frequency") == "not whole"
    )
    assert signal_words.missing_word_reason(with_charts(drawn), "deployment_frequency") == ""
    assert "not whole" not in summarise(with_charts(hollow))


@pytest.mark.parametrize(
    ("report", "said"),
    [
        (with_charts(deployments([*LEVEL, 40])), "No signal."),
        (full_week(), "No limits yet."),
        (
            full_week().model_copy(
                update={"charts": (deployments([*LEVEL, 40]),), "partial": True}
            ),
            "Nothing is held against the limits: it was not collected whole.",
        ),
        (
            full_week().model_copy(
                update={"exceptions": Exceptions(outside=(), judged=0, of=3, expected=0)}
            ),
            "No service has limits yet.",
        ),
    ],
)
def test_services_are_told_of_only_where_they_were_looked_at(report: Report, said: str) -> None:
    assert [*content.exceptions(report)] == [said]


def test_what_was_long_ago_is_not_in_the_headline() -> None:
    report = with_charts(deployments([*LEVEL, *[20] * 3, *[40] * 9]), weeks=52)

    summary = summarise(report)
    assert "worse" not in summary
    assert summary.endswith(" No new signal.")


@pytest.mark.parametrize(
    ("found", "said_there"),
    [
        (None, []),
        (Exceptions(outside=(), judged=0, of=3, expected=0), []),
        (Exceptions(outside=(), judged=1, of=3, expected=0.017), ["none of 1 service with limits"]),
        (
            Exceptions(
                outside=(Outside(service="cart", deployments=9, low=0.4, high=7.9),),
                judged=11,
                of=12,
                expected=0.187,
            ),
            ["cart 9 (usual 1–7)", "of 11 with limits, where chance gives up to 0.19"],
        ),
    ],
)
def test_services_outside_their_limits_are_named(
    found: Exceptions | None, said_there: list[str]
) -> None:
    report = full_week().model_copy(update={"exceptions": found})

    assert signal_words.exceptions(report) == said_there


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (
            TargetStatus(metric="change_lead_time", at_most=172800, word=TargetWord.NOT_YET_KNOWN),
            "Lead time at most 2 d: not yet known",
        ),
        (
            TargetStatus(metric="deployment_frequency", at_least=25, word=TargetWord.HIT_OR_MISS),
            "Deployments at least 25 a week: hit or miss",
        ),
        (
            TargetStatus(metric="deployment_frequency", at_least=0.05, word=TargetWord.HIT_OR_MISS),
            "Deployments at least 0.05 a week: hit or miss",
        ),
        (
            TargetStatus(
                metric="change_fail_rate",
                at_most=0.08,
                at_least=0.005,
                word=TargetWord.OUT_OF_REACH,
            ),
            "Change fail rate at least 0.5% and at most 8%: out of reach",
        ),
    ],
)
def test_a_target_is_told_with_how_it_is_met(status: TargetStatus, told: str) -> None:
    assert signal_words.targets(full_week().model_copy(update={"targets": (status,)})) == [told]


def level_of(drawn: Chart) -> NewLevel:
    run, step, by = lasting_run(drawn), step_to_paste(drawn), drawn.baseline
    assert run
    assert step
    assert by.center is not None
    return NewLevel(
        metric=drawn.metric,
        kind=drawn.kind,
        side=run.side,
        since=run.since,
        points=run.points,
        center=by.center,
        step=step,
    )


@pytest.mark.parametrize(
    ("drawn", "told"),
    [
        (
            deployments([*LEVEL, *[41] * 9]),
            "Deployments: 9 weeks in a row above the usual 40, since 6 Jul 2026.",
        ),
        (
            stretches([*[4, 6] * 10, *[1] * 8]),
            "Change fail rate: 8 stretches in a row shorter than 5, since 30 Aug 2026.",
        ),
    ],
)
def test_a_new_level_is_told_with_the_lines_to_paste(drawn: Chart, told: str) -> None:
    level = level_of(drawn)
    text = terminal.render(with_charts(drawn).model_copy(update={"new_levels": (level,)}))

    assert signal_words.new_level(level) == told
    assert f'    on = {level.since}\n    why = "…"\n' in text


@pytest.mark.parametrize(
    ("values", "summary"),
    [
        ([*LEVEL, 40], "One failure is still open (checkout, 19 h). {} No signal."),
        ([*LEVEL, 20], "One failure is still open (checkout, 19 h). Deployments: worse. {}"),
        ([*LEVEL, 60], "One failure is still open (checkout, 19 h). {} Deployments: better."),
    ],
)
def test_bad_news_goes_before_the_counts_and_good_news_after(
    values: list[float], summary: str
) -> None:
    assert summarise(with_charts(deployments(values))) == summary.format(
        "49 deployments, 1 of them failed."
    )


def over_weeks(values: Sequence[float], weeks: int) -> Report:
    """A report on several weeks at once, with the chart of their deployments."""
    window = weeks_to(WEEK, weeks)
    drawn = deployments(values)
    whole = with_charts(drawn, weeks=weeks)
    figures = (one for one in whole.figures if one.window == window)
    return whole.model_copy(update={"figures": tuple(figures), "window": window})


@pytest.mark.parametrize(
    ("values", "word", "first", "last"),
    [
        ([*LEVEL, 20, *[40] * 8], "worse W28", "Deployments: worse in W28. ", "."),
        (
            [*LEVEL, 20, *[39, 41] * 3, 60, 40],
            "worse W28",
            "Deployments: worse in W28. ",
            " Deployments: better in W35.",
        ),
        ([*LEVEL, *[39, 41] * 4, 60], "better W36", "", " Deployments: better in W36."),
    ],
)
def test_a_bad_week_makes_no_bad_quarter(
    values: list[float], word: str, first: str, last: str
) -> None:
    report = over_weeks(values, 13)

    assert signal_words.standing_of(report, "deployment_frequency") == word
    summary = summarise(report).partition(" h). ")[2]
    assert summary.startswith(f"{first}178 deployments")
    assert summary.endswith(last)


@pytest.mark.parametrize("width", [80, 120])
def test_a_narrow_terminal_loses_nothing(width: int) -> None:
    earlier = deployments([*LEVEL, 52, 40])
    text = terminal.render(with_charts(earlier), width=width)

    assert LIMITS in text
    assert "better W35" in text
    assert max(map(len, text.splitlines())) <= width


def test_what_chance_alone_gives_is_told() -> None:
    report = full_week().model_copy(update={"expected_false_alarms": 0.065})

    assert "False alarms to expect in 2026-W36 by chance alone: 0.06." in terminal.render(report)
