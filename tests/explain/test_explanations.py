from collections.abc import Iterator
from datetime import date
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from builders import changed, commits, deploys, pull
from govuk import needs_govuk
from govuk import records as govuk_records
from sample import files
from stored import SOURCE, empty_store

from vpemetrics.collectors.files.reading import read
from vpemetrics.config.load import load
from vpemetrics.errors import NotFound
from vpemetrics.explain.model import Entry, Explanation
from vpemetrics.explain.rendering import render, render_json
from vpemetrics.metrics import intervals
from vpemetrics.metrics.facts import length
from vpemetrics.metrics.figures import Figure, Unit
from vpemetrics.metrics.registry import METRICS
from vpemetrics.records import Change, Commit, Coverage, CoverageKind
from vpemetrics.rules import Rules
from vpemetrics.store import Store
from vpemetrics.usecases.explain import explain
from vpemetrics.usecases.reporting import Asked, report
from vpemetrics.window import (
    Window,
    parse_instant,
    parse_month,
    parse_quarter,
    parse_week,
    to_micros,
)

RULES = load(files() / "vpemetrics.toml", {}).rules()
QUARTER = parse_quarter("2026-Q2")
WEEK = parse_week("2026-W36")
CASES = (
    Asked(window=QUARTER),
    Asked(window=QUARTER, service="checkout"),
    Asked(window=QUARTER, service="notifications"),
    Asked(window=parse_month("2026-05"), team="team-a"),
    Asked(window=WEEK),
    Asked(window=WEEK, service="search"),
    Asked(window=Window(start=date(2026, 2, 9), end=date(2026, 9, 7))),  # all there is
    Asked(window=parse_week("2026-W37")),  # its first hours were collected
    Asked(window=parse_week("2025-W01")),  # before all data
)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(tmp_path_factory.mktemp("explaining") / "sample.db") as store:
        store.save_all(read(files()))
        yield store


def of(explanation: Explanation, *roles: str) -> list[Entry]:
    return list(chain(*(g.entries for g in explanation.groups if g.role in roles)))


def spans(entries: list[Entry]) -> list[tuple[int, int]]:
    return [
        (to_micros(e.start_at), to_micros(e.end_at)) for e in entries if e.start_at and e.end_at
    ]


def value_of(explanation: Explanation, figure: Figure) -> float | None:
    """The figure's value, from nothing but the records that are listed."""
    numerator, samples = of(explanation, "k"), of(explanation, "k", "n")
    values = [entry.value for entry in samples if entry.value is not None]
    if figure.metric == "deployment_frequency":
        days = (figure.window.end - figure.window.start).days
        return figure.value if figure.partial else len(samples) / (days / 7)
    if figure.metric == "customers_affected_time":
        return length(spans(samples))
    if figure.metric.startswith("stage_"):
        return sum(values) / sum(entry.total or 0.0 for entry in samples)
    if figure.unit is Unit.PROPORTION:
        return len(numerator) / len(samples)
    if explanation.curve:
        over = [not entry.open for entry in samples]
        return intervals.survival_median(values, over).median
    return float(np.median(values))


def assert_records_make_the_figure(explanation: Explanation) -> None:
    figure = explanation.figure
    assert figure is not None
    samples = of(explanation, "k", "n")
    assert len(samples) == (figure.n or 0)
    if figure.k is not None:
        assert len(of(explanation, "k")) == figure.k
    if figure.values:
        assert sorted(e.value for e in samples if e.value is not None) == list(figure.values)
    if figure.value is not None:
        assert value_of(explanation, figure) == pytest.approx(figure.value, rel=1e-12)
    listed = {g.reason: len(g.entries) for g in explanation.groups if g.role == "left_out"}
    assert listed == figure.excluded


@pytest.mark.parametrize("metric", METRICS)
def test_the_listed_records_make_exactly_the_figure(sample: Store, metric: str) -> None:
    for asked in CASES:
        assert_records_make_the_figure(explain(sample, RULES, metric, asked))


def test_the_figures_explained_are_those_of_the_report(sample: Store) -> None:
    asked = Asked(window=QUARTER, service="checkout")
    printed = report(sample, RULES, asked)

    for metric in METRICS:
        assert explain(sample, RULES, metric, asked).figure == printed.figure(metric)


@needs_govuk
@pytest.mark.needs_shared_data
def test_the_listed_records_make_exactly_the_figure_on_real_deployments(tmp_path: Path) -> None:
    start, end = parse_instant("2025-01-01T00:00Z"), parse_instant("2026-08-22T00:00Z")
    kinds = (CoverageKind.DEPLOYMENTS, CoverageKind.COMMITS, CoverageKind.PULL_REQUESTS)
    window = Window(start=date(2025, 1, 1), end=date(2026, 8, 22))
    with Store.open(tmp_path / "govuk.db") as store:
        store.save("files", govuk_records())
        stretches = (
            Coverage(source="files", scope="*", kind=kind, start=start, end=end) for kind in kinds
        )
        store.save("files", stretches)
        for metric in METRICS:
            for service in (None, "frontend", "publishing-api", "signon"):
                asked = Asked(window=window, service=service)

                assert_records_make_the_figure(explain(store, Rules(), metric, asked))


def test_the_two_middle_samples_are_named_and_shown(sample: Store) -> None:
    found = explain(sample, RULES, "lead-time", Asked(window=QUARTER))
    samples = of(found, "n")
    middle = samples[len(samples) // 2 - 1 : len(samples) // 2 + 1]

    assert len(samples) % 2 == 0
    assert f"sample {len(samples) // 2} ({middle[0].value:,.0f} s" in found.arithmetic[0]
    assert all(entry.id in render(found) for entry in middle)


def test_the_spelled_out_wilson_interval_is_the_figure_s(sample: Store) -> None:
    found = explain(sample, RULES, "cfr", Asked(window=QUARTER))
    limits = found.figure.interval if found.figure else None

    assert limits is not None
    assert limits.low is not None
    assert limits.high is not None
    middle, half = (limits.high + limits.low) / 2, (limits.high - limits.low) / 2
    assert f"{middle:.4f} ± {half:.4f}" in found.arithmetic[1]


def test_a_withheld_stage_lists_no_pull_request(sample: Store) -> None:
    found = explain(sample, RULES, "stage_review", Asked(window=WEEK, service="accounts"))

    assert found.figure is not None
    assert found.figure.value is None
    assert found.groups == ()
    assert "withheld: fewer than 3 human authors" in render(found)


def test_a_week_points_to_the_longer_window_of_the_report(sample: Store) -> None:
    found = explain(sample, RULES, "cfr", Asked(window=WEEK))

    assert found.hints == ("The report's 4 weeks: --from 2026-08-10 --to 2026-09-07",)


# --- records ------------------------------------------------------------------------------------


def told(explanation: Explanation) -> dict[str, str]:
    return {fact.name.strip(): fact.text for fact in explanation.facts}


def group(explanation: Explanation, title: str) -> list[Entry]:
    return [e for g in explanation.groups if g.title.startswith(title) for e in g.entries]


def test_every_failure_counted_is_told_as_one_by_its_deployment(sample: Store) -> None:
    counted = of(explain(sample, RULES, "cfr", Asked(window=QUARTER)), "k")

    assert counted
    for entry in counted:
        story = explain(sample, RULES, entry.id)

        assert told(story)["failed"].startswith("confirmed, grade ")
        assert group(story, "Evidence that counts")


def test_every_unplanned_deployment_is_told_as_one(sample: Store) -> None:
    counted = of(explain(sample, RULES, "rework", Asked(window=QUARTER)), "k")

    assert counted
    assert all(
        told(explain(sample, RULES, e.id))["rework"].startswith("unplanned") for e in counted
    )


def test_a_change_has_the_lead_time_of_the_figure_in_its_own_story(sample: Store) -> None:
    samples = of(explain(sample, RULES, "lt", Asked(window=WEEK)), "n")

    for entry in samples:
        story = told(explain(sample, RULES, entry.id))

        assert entry.start_at is not None
        assert entry.end_at is not None
        start, end = f"{entry.start_at:%Y-%m-%d %H:%M:%S}", f"{entry.end_at:%Y-%m-%d %H:%M:%S}"
        assert story["lead time"].startswith(f"{end} − {start}")


@pytest.mark.parametrize(
    ("record", "fact", "words"),
    [
        ("checkout/1", "not counted", "staging is no production environment"),
        ("checkout/2", "production-eu", "first known deployment there"),
        ("checkout/92", "kind", "rollback"),
        ("checkout/92", "production-eu", "brought there earlier by checkout/87"),
        ("checkout/92", "production-eu", "live until then: fc19e58 by checkout/90"),
        ("checkout/170", "kind", "forward"),
        ("checkout/170", "production-us", "its commit is unknown"),
        ("accounts/33", "rework", "unplanned: revert"),
        ("example/checkout#1", "left out", "changes in the first known deployment"),
        ("INC-1-3", "lasted", "00:29:43"),
        ("INC-1-4", "external", "its cause is outside"),
        ("89ee642", "counts as", "brought in by pull request example/checkout#1"),
        ("6763dd572b", "counts as", "a commit of pull request example/checkout#1"),
        ("d3762075551e", "counts as", "a change of its own"),
    ],
)
def test_a_record_is_told(sample: Store, record: str, fact: str, words: str) -> None:
    assert words in told(explain(sample, RULES, record))[fact]


def test_any_part_of_a_deployment_tells_the_same_kind_and_reasons(sample: Store) -> None:
    one, other = (explain(sample, RULES, part) for part in ("checkout/90", "checkout/91"))

    assert {"production-eu", "production-us"} <= set(told(one))
    assert told(one)["production-us"] == told(other)["production-us"]
    assert one.groups == other.groups


def test_a_rollback_names_the_failure_it_is_held_against(sample: Store) -> None:
    mended = group(explain(sample, RULES, "checkout/92"), "Failures that it mended")

    assert [entry.id for entry in mended] == ["checkout/91"]


def test_evidence_that_was_not_chosen_is_kept_and_shown(sample: Store) -> None:
    story = explain(sample, RULES, "INC-1-5")

    assert [e.what[:1] for e in group(story, "Evidence that counts")] == ["C"]
    assert [e.what[:1] for e in group(story, "Evidence kept")] == ["D"]


def test_a_commit_lists_the_deployments_that_came_without_it(sample: Store) -> None:
    story = explain(sample, RULES, "7e6251f")

    considered = group(story, "Considered in checkout")
    assert [entry.id for entry in considered] == ["checkout/140", "checkout/143"]
    assert told(story)["checkout"] == "first shipped by checkout/146"


# --- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("MTTR", "failed_deployment_recovery_time"),
        ("lead-time", "change_lead_time"),
        ("example/checkout#1", "example/checkout#1"),
        ("pull_request:example/checkout#1", "example/checkout#1"),
        ("https://git.example/example/checkout/pull/1/files", "example/checkout#1"),
        ("https://git.example/example/checkout/-/merge_requests/1", "example/checkout#1"),
        ("files:INC-1-3", "INC-1-3"),
        ("89EE642", "89ee642a6a64ed8608c0844a0d8f4c2b88d6d202"),
    ],
)
def test_a_name_means_what_people_mean_by_it(sample: Store, name: str, meant: str) -> None:
    assert explain(sample, RULES, name).id == meant


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("#1", "\nexample/checkout#1\nexample/notifications#1\nexample/search#1"),
        ("changeleadtime", "did you mean change_lead_time"),
        ("INC-1-33", "INC-1-3"),
        ("abc123", "at least 7 characters"),
        ("1", "did you mean '#1'? In a shell it wants the quotes"),
        ("0000000", "A record goes by its sha"),
    ],
)
def test_a_name_of_nothing_or_of_several_is_answered_with_names(
    sample: Store, name: str, said: str
) -> None:
    with pytest.raises(NotFound) as error:
        explain(sample, RULES, name)

    assert said in str(error.value)


# --- rendering ----------------------------------------------------------------------------------


def everything(store: Store) -> Iterator[Explanation]:
    for metric in METRICS:
        yield explain(store, RULES, metric, Asked(window=QUARTER))
    for record in ("checkout/91", "example/checkout#73", "INC-1-5", "7e6251f"):
        yield explain(store, RULES, record)


def test_moments_go_without_the_year_in_which_the_window_ends(sample: Store) -> None:
    window = Window(start=date(2025, 12, 1), end=date(2026, 9, 7))
    found = explain(sample, RULES, "lead_time", Asked(window=window))

    assert "  142.  12 Mar 13:31  example/search#14" in render(found)


def test_what_was_made_of_a_record_says_in_which_zone(sample: Store) -> None:
    assert render(explain(sample, RULES, "INC-3-6")).startswith("Incident INC-3-6 (times in UTC)\n")


def test_a_week_without_a_change_says_just_that(sample: Store) -> None:
    quiet = Asked(window=parse_week("2026-W34"), service="accounts")
    found = explain(sample, RULES, "lead_time", quiet)

    assert found.arithmetic == (
        "There is no sample in the window.",
        "No pull request was merged in the window.",
    )


def test_the_text_is_80_columns_wide_and_a_screen_long(sample: Store) -> None:
    for explanation in everything(sample):
        lines = render(explanation).splitlines()

        assert max(map(len, lines)) <= 80
        assert len(lines) <= 48, explanation.id


def test_what_is_not_shown_is_counted_and_complete_leaves_nothing_out(sample: Store) -> None:
    found = explain(sample, RULES, "df", Asked(window=QUARTER))
    ids = {entry.id for group in found.groups for entry in group.entries}

    assert "more; the latest are shown, --all lists every one" in render(found)
    assert "more" not in render(found, complete=True)
    assert all(id_ in render(found, complete=True) for id_ in ids)


def test_no_explanation_names_a_person(sample: Store) -> None:
    authors = {
        record.author
        for kind in ("commits", "pull_requests")
        for _, record in sample.records(kind)
        if isinstance(record, Commit | Change)
    }

    assert authors
    for explanation in everything(sample):
        text = render_json(explanation).decode() + render(explanation, complete=True)

        assert not any(author in text for author in authors if author)


def test_the_json_reads_back_as_the_same_explanation(sample: Store) -> None:
    for explanation in everything(sample):
        assert Explanation.model_validate_json(render_json(explanation)) == explanation


def test_a_backport_is_found_from_either_pull_request() -> None:
    graph = changed(commits("a<b<c a<p"), p={"picked_from_sha": "c"})
    pulls = [pull(1, "Tue 09:00", by="c", of="c"), pull(2, "Tue 10:00", by="p")]
    with empty_store() as store:
        store.save(SOURCE, [*graph, *pulls, *deploys("Mon 10:00 eu a \n Wed 10:00 eu p")])
        first, second = (explain(store, Rules(), f"#{number}") for number in (1, 2))

    (copy,) = next(g for g in first.groups if g.title.startswith("Cherry-picked as")).entries
    assert copy.id == "p"
    merge = next(g for g in second.groups if g.title.startswith("Merged as")).entries
    assert [entry.what for entry in merge] == ["belongs to #1"]
