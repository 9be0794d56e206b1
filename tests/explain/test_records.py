"""The stories of records say what lineage and figures say of them."""

import pytest
from builders import changed, commits, deploys, pull
from explanations import QUARTER, RULES, WEEK, entries_of, entries_under, facts_of
from stored import SOURCE, empty_store

from vpemetrics.rules import Rules
from vpemetrics.store import Store
from vpemetrics.usecases.explain import explain
from vpemetrics.usecases.reporting import Asked


def test_every_failure_counted_is_told_as_one_by_its_deployment(sample: Store) -> None:
    counted = entries_of(explain(sample, RULES, "cfr", Asked(window=QUARTER)), "k")

    assert counted
    for entry in counted:
        story = explain(sample, RULES, entry.id)

        assert facts_of(story)["failed"].startswith("confirmed, grade ")
        assert entries_under(story, "Evidence that counts")


def test_every_unplanned_deployment_is_told_as_one(sample: Store) -> None:
    counted = entries_of(explain(sample, RULES, "rework", Asked(window=QUARTER)), "k")

    assert counted
    assert all(
        facts_of(explain(sample, RULES, e.id))["rework"].startswith("unplanned") for e in counted
    )


def test_a_change_has_the_lead_time_of_the_figure_in_its_own_story(sample: Store) -> None:
    samples = entries_of(explain(sample, RULES, "lt", Asked(window=WEEK)), "n")

    for entry in samples:
        story = facts_of(explain(sample, RULES, entry.id))

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
    assert words in facts_of(explain(sample, RULES, record))[fact]


def test_any_part_of_a_deployment_tells_the_same_kind_and_reasons(sample: Store) -> None:
    one, other = (explain(sample, RULES, part) for part in ("checkout/90", "checkout/91"))

    assert {"production-eu", "production-us"} <= set(facts_of(one))
    assert facts_of(one)["production-us"] == facts_of(other)["production-us"]
    assert one.groups == other.groups


def test_a_rollback_names_the_failure_it_is_held_against(sample: Store) -> None:
    mended = entries_under(explain(sample, RULES, "checkout/92"), "Failures that it mended")

    assert [entry.id for entry in mended] == ["checkout/91"]


def test_evidence_that_was_not_chosen_is_kept_and_shown(sample: Store) -> None:
    story = explain(sample, RULES, "INC-1-5")

    assert [e.what[:1] for e in entries_under(story, "Evidence that counts")] == ["C"]
    assert [e.what[:1] for e in entries_under(story, "Evidence kept")] == ["D"]


def test_a_commit_lists_the_deployments_that_came_without_it(sample: Store) -> None:
    story = explain(sample, RULES, "7e6251f")

    considered = entries_under(story, "Considered in checkout")
    assert [entry.id for entry in considered] == ["checkout/140", "checkout/143"]
    assert facts_of(story)["checkout"] == "first shipped by checkout/146"


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
