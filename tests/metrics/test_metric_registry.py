"""Metrics by name, and that each is documented."""

from pathlib import Path

import pytest

from vpemetrics.metrics.registry import ALIASES, METRICS, find

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

REASONS = (
    "backport",
    "automation",
    "first_deployment",
    "unknown_commit",
    "negative",
    "other_branch",
    "imported_history",
    "light_tag",
    "release_commit",
    "deployed_before_merge",
    "no_author_date",
    "no_commit_left",
    "no_incident_source",
    "no_review_source",
    "no_restored_at",
    "open_without_update",
    "external",
    "unknown",
    "no_service",
    "superseded",
)


@pytest.mark.parametrize(
    ("name", "metric"),
    [
        ("change_lead_time", "change_lead_time"),
        ("lead-time", "change_lead_time"),
        ("Lead Time", "change_lead_time"),
        ("lead_time_for_changes", "change_lead_time"),
        ("cfr", "change_fail_rate"),
        ("CFR", "change_fail_rate"),
        ("change-failure-rate", "change_fail_rate"),
        ("mttr", "failed_deployment_recovery_time"),
        ("deployments", "deployment_frequency"),
        ("rework", "deployment_rework_rate"),
    ],
)
def test_a_metric_is_found_by_its_names(name: str, metric: str) -> None:
    assert find(name) is METRICS[metric]


@pytest.mark.parametrize("name", ["", "velocity", "change_lead_time/1"])
def test_what_is_no_metric_is_not_found(name: str) -> None:
    assert find(name) is None


def test_no_alias_hides_a_metric_or_means_two() -> None:
    every = [alias for metric in METRICS.values() for alias in metric.aliases]

    assert len(every) == len(set(every))
    assert not set(ALIASES) & set(METRICS)


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_is_documented_with_its_definition_and_aliases(name: str) -> None:
    metric = METRICS[name]

    assert f"`{metric.definition_id}`" in DOCUMENT
    assert all(f"`{alias}`" in DOCUMENT for alias in metric.aliases)
    assert f"`{metric.definition_id}`" in CHANGELOG


@pytest.mark.parametrize("reason", REASONS)
def test_a_reason_to_leave_something_out_is_documented(reason: str) -> None:
    assert f"`{reason}`" in DOCUMENT
