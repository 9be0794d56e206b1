"""The words of a report by simulation: the share that is wrong, and the weeks until they are right.

    python benchmarks/signals.py

Made-up organisations whose truth is known go through the functions that reports use. The seeds are
fixed, so that the Markdown tables it prints are the same on every machine.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from vpemetrics.metrics.charts import Chart, ChartKind, Point, Signal, Word
from vpemetrics.metrics.comparisons import (
    LEVEL,
    Samples,
    difference_of_proportions,
    ratio_of_medians,
)
from vpemetrics.metrics.figures import Scope, WindowRef
from vpemetrics.metrics.intervals import (
    Interval,
    median,
    order_statistic_interval,
    survival_median,
    woodruff,
)
from vpemetrics.metrics.signals import (
    FULL,
    Outcome,
    chart,
    charts_with_words,
    expected_false_alarms,
    stretches,
    weekly_or_rare,
)

MONDAY: Final = date(2024, 1, 1)
HISTORY: Final = 78
"""Weeks before the year that is judged, so that failures have a baseline too."""
YEAR: Final = 52
JUDGED: Final = WindowRef(
    start=MONDAY + timedelta(weeks=HISTORY),
    end=MONDAY + timedelta(weeks=HISTORY + YEAR),
    label="the year",
)
EVERYONE: Final = Scope(kind="organisation", name="Acme")
DAY: Final = 86_400.0
DAYS: Final = [timedelta(days=day) for day in range(7)]

Counts = npt.NDArray[np.int64]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="Simulate how often words and intervals err.")
    parser.add_argument("--years", type=int, default=2000, help="stable organisation-years")
    years: int = parser.parse_args().years
    for table in (false_words, bursts, detection, coverage, quarters, recoveries):
        print("\n".join(table(years)), end="\n\n")


def row(*cells: object) -> str:
    """One line of a Markdown table."""
    return f"| {' | '.join(map(str, cells))} |"


# --- false words --------------------------------------------------------------------------------


@dataclass(kw_only=True)
class Tally:
    """Points that were judged, those that gave a word, and how many were to be expected."""

    points: int = 0
    words: int = 0
    expected: float = 0.0

    def add(self, one: Chart) -> None:
        """Count a chart's year."""
        self.points += sum(in_the_year(point) and not point.hollow for point in one.points)
        self.words += len({(s.start, s.value) for s in one.signals if in_the_year(s)})
        self.expected += expected_false_alarms([one], JUDGED)

    def __iadd__(self, other: "Tally") -> "Tally":
        self.points += other.points
        self.words += other.words
        self.expected += other.expected
        return self


def false_words(years: int) -> Iterator[str]:
    """Words in years in which nothing changed, against what the reports say to expect."""
    random = np.random.default_rng(1)
    tallies: defaultdict[str, Tally] = defaultdict(Tally)
    silent = 0
    for _ in range(years):
        year = Tally()
        for one in charts_with_words(stable_charts(random)):
            tallies[f"{one.metric}, {one.kind.value}"].add(one)
            year.add(one)
        tallies["all"] += year
        silent += not year.words
    yield row("stable years: chart", "new points", "words", "expected", "words ÷ expected")
    yield row("---", *["---:"] * 4)
    for name, found in sorted(tallies.items()):
        ratio = found.words / found.expected
        yield row(name, found.points, found.words, round(found.expected), f"{ratio:.2f}")
    yield row("years without a word", "", f"{silent / years:.0%}", "", "")


def in_the_year(one: Point | Signal) -> bool:
    """Tell whether a point lies in the year that is judged."""
    return JUDGED.start <= one.start < JUDGED.end


def stable_charts(random: np.random.Generator) -> Iterable[Chart]:
    """Deployments, failures and rework of an organisation that never changes."""
    rate = float(np.exp(random.uniform(np.log(4), np.log(40))))
    deployed = random.poisson(rate, HISTORY + YEAR)
    yield chart("deployment_frequency", EVERYONE, ChartKind.XMR, weeks(deployed))
    for metric in ("change_fail_rate", "deployment_rework_rate"):
        yield failure_chart(metric, deployed, random.uniform(0.02, 0.25), random)


def failure_chart(
    metric: str, deployed: Counts, share: float, random: np.random.Generator
) -> Chart:
    """The chart of what happens to a share of the deployments, by chance alone."""
    failed = [random.random(count) < share for count in deployed]
    weekly = weeks([int(one.sum()) for one in failed], of=deployed)
    single = [
        Outcome(monday(at) + DAYS[7 * place // len(ones)], bool(one))
        for at, ones in enumerate(failed)
        for place, one in enumerate(ones)
    ]
    return weekly_or_rare(
        chart(metric, EVERYONE, ChartKind.XMR, weekly),
        chart(metric, EVERYONE, ChartKind.G, stretches(single)),
    )


def weeks(counts: Iterable[int], of: Sequence[int] | Counts | None = None) -> list[Point]:
    """Weekly points from the first Monday on: counts, or so many of others."""
    return [
        Point(
            label=f"week {at}",
            start=monday(at),
            value=float(count) if of is None else (count / int(of[at]) if of[at] else None),
            k=None if of is None else int(count),
        )
        for at, count in enumerate(counts)
    ]


@cache
def monday(week: int) -> date:
    """The first day of a week of the simulation."""
    return MONDAY + timedelta(weeks=week)


def bursts(years: int) -> Iterator[str]:
    """Words in stable years whose deployments come in bursts, by how much they vary."""
    rates = (4, 10, 20, 50)
    yield row("stable years: words per new point, at deployments a week of", *rates)
    yield row("---", *["---:"] * len(rates))
    for times in (1.0, 1.5, 2.5):
        random = np.random.default_rng(6)
        found = (f"{words_per_point(rate, times, years // 4, random):.3f}" for rate in rates)
        yield row(f"variance {times:g} times the mean", *found)


def words_per_point(rate: float, times: float, years: int, random: np.random.Generator) -> float:
    """Words per new point of stable deployments whose variance is so many times their mean."""
    total = Tally()
    for _ in range(years):
        mean = rate if times == 1 else random.gamma(rate / (times - 1), times - 1, HISTORY + YEAR)
        deployed = random.poisson(mean, HISTORY + YEAR)
        total.add(chart("deployment_frequency", EVERYONE, ChartKind.XMR, weeks(deployed)))
    return total.words / total.points


# --- detection ----------------------------------------------------------------------------------


def detection(years: int) -> Iterator[str]:
    """Weeks from a rise in deployments to the first *better*."""
    yield row("rise in deployments a week", "median weeks to *better*", "within 8", "within 26")
    yield row("---", *["---:"] * 3)
    for rate, rise in ((10, 1.5), (20, 1.3), (5, 2.0)):
        random = np.random.default_rng(2)
        found = [weeks_until_better(rate, rise, random) for _ in range(years)]
        shares = (f"{np.mean([one <= limit for one in found]):.0%}" for limit in (8, 26))
        yield row(f"{rate} to {rate * rise:g}", f"{np.median(found):g}", *shares)


def weeks_until_better(rate: float, rise: float, random: np.random.Generator) -> int:
    """Count the weeks until the rise is called better; a year and one if it never is."""
    before = random.poisson(rate, FULL[ChartKind.XMR])
    after = random.poisson(rate * rise, YEAR)
    points = weeks([*before, *after])
    signals = chart("deployment_frequency", EVERYONE, ChartKind.XMR, points).signals
    rose = monday(len(before))
    better = ((one.start - rose).days // 7 + 1 for one in signals if one.word is Word.BETTER)
    return next(better, YEAR + 1)


# --- intervals ----------------------------------------------------------------------------------


def coverage(years: int) -> Iterator[str]:
    """The share of intervals of 95 % that hold the true median."""
    sizes = (6, 12, 20, 50)
    yield row("95 % intervals hold the true median, at", *sizes)
    yield row("---", *["---:"] * len(sizes))
    random = np.random.default_rng(3)
    held = [lead_time_held(m, years, random) for m in sizes]
    yield row("lead time, shipping deployments", *(f"{one:.1%}" for one, _ in held))
    yield row("the same, of them open", *(f"{one:.1%}" for _, one in held))
    yield row("recovery, failures", *(f"{recovery_held(n, years, random):.1%}" for n in sizes))


def lead_time_held(m: int, times: int, random: np.random.Generator) -> tuple[float, float]:
    """The share of Woodruff's intervals of so many deployments that hold the truth, or are open."""
    drawn = (lead_times(m, 0.0, random) for _ in range(times))
    found = [woodruff(one.seconds, one.deployments) for one in drawn]
    known = [one for one in found if one is not None]
    held = float(np.mean([holds(one, DAY) for one in known]))
    return held, float(np.mean([one.low is None for one in known]))


def lead_times(m: int, shift: float, random: np.random.Generator) -> Samples:
    """Lead times of a median day, alike within their deployment, which ship 1 to 8 changes."""
    clusters = np.repeat(np.arange(m), random.integers(1, 9, m))
    shared, own = random.normal(size=m)[clusters], random.normal(size=clusters.size)
    logarithms = shift + 1.2 * (np.sqrt(0.6) * shared + np.sqrt(0.4) * own)
    return Samples(seconds=DAY * np.exp(logarithms), deployments=clusters)


def recovery_held(n: int, times: int, random: np.random.Generator) -> float:
    """The share of exact intervals of so many recoveries that hold the truth."""
    drawn = (DAY * np.exp(random.normal(size=n)) for _ in range(times))
    found = (order_statistic_interval(one) for one in drawn)
    return float(np.mean([one is not None and holds(one, DAY) for one in found]))


def holds(interval: Interval, truth: float) -> bool:
    """Tell whether the truth is inside; a limit that is open excludes nothing."""
    above = interval.low is None or interval.low <= truth
    return above and (interval.high is None or truth <= interval.high)


# --- quarters -----------------------------------------------------------------------------------


def quarters(years: int) -> Iterator[str]:
    """The share of pairs of quarters that get a word, of such as differ and such as do not."""
    random = np.random.default_rng(4)
    yield row(f"two quarters, {LEVEL:.0%} intervals exclude no change", "the same", "halved")
    yield row("---", *["---:"] * 2)
    for n, share in ((100, 0.1), (400, 0.1), (1000, 0.04)):
        apart = (
            f"{rates_apart(n, (share, other), years, random):.1%}" for other in (share, share / 2)
        )
        yield row(f"fail rate {share:.0%} of {n} deployments", *apart)
    for m in (12, 20, 50, 200):
        apart = (f"{medians_apart(m, shift, years, random):.1%}" for shift in (0.0, -np.log(2)))
        yield row(f"lead time, {m} shipping deployments", *apart)


def rates_apart(
    n: int, shares: tuple[float, float], times: int, random: np.random.Generator
) -> float:
    """The share of pairs of k of n that are told apart."""
    drawn = random.binomial(n, shares, (times, 2)).tolist()
    found = (difference_of_proportions((one, n), (other, n)) for one, other in drawn)
    return float(np.mean([one is not None and not holds(one, 0.0) for one in found]))


def medians_apart(m: int, shift: float, times: int, random: np.random.Generator) -> float:
    """The share of pairs of lead times that are told apart."""
    found = (
        ratio_of_medians(lead_times(m, 0.0, random), lead_times(m, shift, random))
        for _ in range(times // 2)
    )
    return float(np.mean([one is not None and not holds(one, 1.0) for one in found]))


# --- recoveries ---------------------------------------------------------------------------------


def recoveries(years: int) -> Iterator[str]:
    """The recovery median where failures are still open, against the truth."""
    yield row("true recovery median, 13 weeks", "open", "estimate ÷ truth", "closed ones ÷ truth")
    yield row("---", *["---:"] * 3)
    for days in (1, 3, 7):
        random = np.random.default_rng(5)
        found = np.array([recovery_of_a_quarter(days * DAY, random) for _ in range(years)])
        still_open = float(np.mean(found[:, 0]))
        estimate, closed = (float(np.median(found[:, at])) / (days * DAY) for at in (1, 2))
        name = f"{days} {'day' if days == 1 else 'days'}"
        yield row(name, f"{still_open:.0%}", f"{estimate:.3f}", f"{closed:.3f}")


def recovery_of_a_quarter(truth: float, random: np.random.Generator) -> tuple[float, float, float]:
    """The share of 60 failures that is open, the median, and that of the closed ones alone."""
    lasting = truth * np.exp(1.2 * random.normal(size=60))
    known_for = random.uniform(0, 91 * DAY, 60)
    closed = lasting <= known_for
    found = survival_median(np.minimum(lasting, known_for), closed)
    return (
        1 - float(closed.mean()),
        np.inf if found.median is None else found.median,
        median(lasting[closed]) or np.nan,
    )


if __name__ == "__main__":
    main()
