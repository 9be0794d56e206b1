"""Explanations of a whole sample on a screen, and as JSON."""

from collections.abc import Iterator
from datetime import date

import pytest
from explanations import QUARTER, RULES

from vpemetrics.explain.model import Explanation
from vpemetrics.explain.rendering import render, render_json
from vpemetrics.metrics.registry import METRICS
from vpemetrics.records import Change, Commit
from vpemetrics.store import Store
from vpemetrics.usecases.explain import explain
from vpemetrics.usecases.reporting import Asked
from vpemetrics.window import (
    Window,
    parse_week,
)


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


@pytest.mark.slow
def test_the_text_is_80_columns_wide_and_a_screen_long(sample: Store) -> None:
    for explanation in everything(sample):
        lines = render(explanation).splitlines()

        assert max(map(len, lines)) <= 80
        assert len(lines) <= 48, explanation.id


@pytest.mark.slow
def test_what_is_not_shown_is_counted_and_complete_leaves_nothing_out(sample: Store) -> None:
    found = explain(sample, RULES, "df", Asked(window=QUARTER))
    ids = {entry.id for group in found.groups for entry in group.entries}

    assert "more; the latest are shown, --all lists every one" in render(found)
    assert "more" not in render(found, complete=True)
    assert all(id_ in render(found, complete=True) for id_ in ids)


@pytest.mark.slow
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


@pytest.mark.slow
def test_the_json_reads_back_as_the_same_explanation(sample: Store) -> None:
    for explanation in everything(sample):
        assert Explanation.model_validate_json(render_json(explanation)) == explanation
