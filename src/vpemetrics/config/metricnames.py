"""The metrics a configuration can name (METRICS rule 35), their units, and older names."""

from collections.abc import Iterable
from typing import Final

from vpemetrics.metrics.figures import Unit

METRICS: Final[dict[str, Unit]] = {
    "change_lead_time": Unit.SECONDS,
    "share_within_24h": Unit.PROPORTION,
    "deployment_frequency": Unit.PER_WEEK,
    "time_between_deployments": Unit.SECONDS,
    "failed_deployment_recovery_time": Unit.SECONDS,
    "incident_restore_time": Unit.SECONDS,
    "customers_affected_time": Unit.SECONDS,
    "change_fail_rate": Unit.PROPORTION,
    "change_fail_rate_with_suspected": Unit.PROPORTION,
    "deployment_rework_rate": Unit.PROPORTION,
    "batch_size": Unit.COUNT,
    "stage_coding": Unit.PROPORTION,
    "stage_waiting_for_review": Unit.PROPORTION,
    "stage_review": Unit.PROPORTION,
    "stage_unreviewed": Unit.PROPORTION,
    "stage_waiting_to_deploy": Unit.PROPORTION,
    "stage_deploying": Unit.PROPORTION,
}

ALIASES: Final[dict[str, str]] = {
    "lead_time": "change_lead_time",
    "lead_time_for_changes": "change_lead_time",
    "frequency": "deployment_frequency",
    "recovery_time": "failed_deployment_recovery_time",
    "mttr": "failed_deployment_recovery_time",
    "time_to_restore_service": "failed_deployment_recovery_time",
    "cfr": "change_fail_rate",
    "change_failure_rate": "change_fail_rate",
    "rework_rate": "deployment_rework_rate",
}


def canonical(name: str) -> str | None:
    """The metric a name or alias means, however it is spelled; None if it means none."""
    plain = name.strip().casefold().replace("-", "_").replace(" ", "_")
    metric = ALIASES.get(plain, plain)
    return metric if metric in METRICS else None


def known_names() -> Iterable[str]:
    """Every name and alias."""
    return (*METRICS, *ALIASES)
