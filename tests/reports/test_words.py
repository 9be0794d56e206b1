from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vpemetrics.metrics.figures import IntervalRef, Unit, WindowRef
from vpemetrics.metrics.registry import METRICS
from vpemetrics.reports import words

MINUTE, HOUR, DAY = 60, 3600, 86400


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (0.2, "<1 s"),  # not nothing
        (1, "1 s"),
        (44.5, "44 s"),  # half to even
        (45.5, "46 s"),
        (59.6, "1 min"),  # never 60 s
        (52 * MINUTE, "52 min"),
        (59.7 * MINUTE, "1.0 h"),  # never 60 min
        (90 * MINUTE, "1.5 h"),
        (9.96 * HOUR, "10 h"),  # two figures, not three
        (21.2 * HOUR, "21 h"),
        (23.118 * HOUR, "23 h"),
        (47.6 * HOUR, "2.0 d"),  # never 48 h
        (3.4 * DAY, "3.4 d"),
        (23 * DAY, "23 d"),
        (1200 * DAY, "1,200 d"),
    ],
)
def test_a_duration_is_said_in_its_fitting_unit(seconds: float, said: str) -> None:
    assert words.duration(seconds) == said


@given(st.floats(min_value=0, max_value=1e10), st.floats(min_value=0, max_value=1e10))
def test_a_longer_duration_is_never_said_as_a_shorter_one(one: float, other: float) -> None:
    shorter, longer = sorted((one, other))

    assert _seconds(words.duration(shorter)) <= _seconds(words.duration(longer))


def _seconds(said: str) -> float:
    amount, unit = said.replace(",", "").split()
    lengths = {"s": 1, "min": MINUTE, "h": HOUR, "d": DAY}
    return 0.5 if amount == "<1" else float(amount) * lengths[unit]


@pytest.mark.parametrize(
    ("proportion", "said"),
    [
        (0, "0%"),
        (1, "100%"),
        (1e-9, "<0.1%"),
        (0.0005, "<0.1%"),  # 0.05 is half way: to even would be 0
        (0.0006, "0.1%"),
        (7 / 171, "4.1%"),
        (0.0995, "10%"),  # rounds to 10.0, so no place
        (0.125, "12%"),  # half to even
        (0.135, "14%"),
        (0.285, "28%"),  # 28.499999999999996 in floats, 28.5 on paper
        (0.51, "51%"),
        (0.994, "99%"),
        (0.996, "99.6%"),  # 100 would be a lie
        (0.99996, ">99.9%"),
    ],
)
def test_a_percentage_never_lies(proportion: float, said: str) -> None:
    assert words.percent(proportion) == said


@given(st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_only_none_is_0_percent_and_only_all_are_100(k_of_n: tuple[int, int]) -> None:
    k, n = k_of_n

    said = words.percent(k / n)

    assert (said == "0%") == (k == 0)
    assert (said == "100%") == (k == n)


@pytest.mark.parametrize(("k", "n", "said"), [(10, 19, None), (10, 20, "50%"), (0, 0, None)])
def test_a_percentage_wants_a_denominator_of_20(k: int, n: int, said: str | None) -> None:
    assert words.percentage_of(k, n) == said


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ([1.0], ["100%"]),
        ([0.5, 0.5], ["50%", "50%"]),
        ([1 / 3, 1 / 3, 1 / 3], ["34%", "33%", "33%"]),
        ([0.998, 0.002], ["99%", "<1%"]),  # not 100% and 0%
        ([0.996, 0.002, 0.002, 0.0], ["98%", "<1%", "<1%", "0%"]),
        ([0.996, 0.004], ["99%", "<1%"]),
        ([0.27, 0.41, 0.14, 0.02, 0.13, 0.03], ["27%", "41%", "14%", "2%", "13%", "3%"]),
    ],
)
def test_shares_of_a_whole(parts: list[float], said: list[str]) -> None:
    assert words.shares(parts) == said


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=8).filter(any))
def test_shares_of_a_whole_add_up_to_100(parts: list[int]) -> None:
    said = words.shares([part / sum(parts) for part in parts])

    assert sum(int(share.strip("<%")) for share in said) == 100
    assert [share == "0%" for share in said] == [part == 0 for part in parts]


@pytest.mark.parametrize(
    ("low", "high", "unit", "value", "said"),
    [
        (18.2 * HOUR, 29.6 * HOUR, Unit.SECONDS, 23 * HOUR, "[18–30 h]"),
        (31 * MINUTE, 1.4 * HOUR, Unit.SECONDS, HOUR, "[31 min–1.4 h]"),
        (5 * HOUR, None, Unit.SECONDS, 9 * HOUR, "[> 5.0 h]"),  # no upper limit
        (None, 5 * HOUR, Unit.SECONDS, HOUR, "[< 5.0 h]"),
        (None, None, Unit.SECONDS, HOUR, "[open]"),
        (0.01997, 0.08214, Unit.PROPORTION, 7 / 171, "[2.0–8.2%]"),
        (0.0321, 0.1044, Unit.PROPORTION, 10 / 171, "[3.2–10.4%]"),  # places of the value
        (0.4428, 0.5756, Unit.PROPORTION, 109 / 214, "[44–58%]"),
        (0, 0.06, Unit.PROPORTION, 0, "[0–6.0%]"),
        (1.2, 3.5, Unit.COUNT, 2, "[1.2–3.5]"),
    ],
)
def test_an_interval(
    low: float | None, high: float | None, unit: Unit, value: float, said: str
) -> None:
    limits = IntervalRef(low=low, high=high, method="example")

    assert words.interval(limits, unit, value) == said


def test_an_approximate_interval_says_so() -> None:
    limits = IntervalRef(low=HOUR, high=2 * HOUR, method="example", approx=True)

    assert words.interval(limits, Unit.SECONDS) == "≈[1.0–2.0 h]"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, "0"),
        (0.001, "<0.01"),
        (0.92, "0.92"),
        (0.999, "1"),
        (4.75, "4.8"),
        (44.5, "44.5"),
        (3, "3"),
        (1976.6, "1,977"),
    ],
)
def test_a_number_of_things(value: float, said: str) -> None:
    assert words.number(value) == said


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        (date(2026, 8, 31), date(2026, 9, 7), "31 Aug–6 Sep"),
        (date(2026, 8, 3), date(2026, 8, 10), "3–9 Aug"),
        (date(2026, 12, 28), date(2027, 1, 4), "28 Dec 2026–3 Jan 2027"),
        (date(2026, 8, 3), date(2026, 8, 4), "3 Aug"),
    ],
)
def test_the_dates_of_a_window_name_its_last_day(start: date, end: date, said: str) -> None:
    assert words.dates(WindowRef(start=start, end=end, label="any")) == said


@pytest.mark.parametrize(
    ("start", "end", "label", "title", "length"),
    [
        (date(2026, 8, 31), date(2026, 9, 7), "2026-W36", "2026-W36", "2026-W36"),
        (date(2026, 7, 1), date(2026, 10, 1), "2026-Q3", "2026-Q3", "2026-Q3"),
        (
            date(2026, 8, 10),
            date(2026, 9, 7),
            "2026-08-10..2026-09-07",
            "10 Aug–6 Sep 2026",
            "4 weeks",
        ),
        (
            date(2026, 8, 10),
            date(2026, 8, 20),
            "2026-08-10..2026-08-20",
            "10–19 Aug 2026",
            "10 days",
        ),
    ],
)
def test_a_window_has_a_title_and_a_length(
    start: date, end: date, label: str, title: str, length: str
) -> None:
    window = WindowRef(start=start, end=end, label=label)

    assert (words.title(window), words.length(window)) == (title, length)


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (datetime(2026, 9, 6, 10, 10, tzinfo=UTC), "6 Sep 11:10"),  # summer time in Dublin
        (datetime(2026, 12, 6, 10, 10, tzinfo=UTC), "6 Dec 10:10"),
        (datetime(2025, 12, 31, 23, 59, tzinfo=UTC), "31 Dec 2025"),
    ],
)
def test_a_moment_is_read_off_the_clocks_of_the_zone(at: datetime, said: str) -> None:
    assert words.moment(at, "Europe/Dublin", in_year=2026) == said


def test_a_metric_is_called_by_its_title() -> None:
    assert words.name("change_lead_time") == "Lead time"
    assert set(words.FIVE) | set(words.OLDER_NAMES) | set(words.STAGES) <= set(METRICS)


def test_an_unknown_metric_or_reason_is_still_readable() -> None:
    assert words.name("mean_luck") == "Mean luck"
    assert words.reason("full_moon") == "full moon"


@pytest.mark.parametrize(
    ("key", "one"),
    [
        ("imported_history", "commit of another repository that a merge brought in"),
        ("named_not_shipped", "incident that names a cause which never shipped"),
        ("never_deployed", "configured service without a production deployment"),
        ("no_commit_left", "pull request whose commits are all another's"),
        ("not_covered", "service not collected over the whole window"),
        ("parents_not_collected", "service with commits whose parents were not collected"),
        ("release_commit", "change that only makes a release"),
        ("stale", "older build that finished late"),
    ],
)
def test_one_problem_is_told_in_the_singular(key: str, one: str) -> None:
    assert words.reason(key, 1) == one
    assert words.reason(key, 0) == words.reason(key, 2) == words.REASONS[key]
