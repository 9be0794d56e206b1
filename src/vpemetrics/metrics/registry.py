"""Every metric: its name, its definition in one sentence, its other names, and what measures it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from vpemetrics.metrics.figures import Unit
from vpemetrics.names import load

if TYPE_CHECKING:
    from vpemetrics.metrics.facts import Slice
    from vpemetrics.metrics.figures import Figure


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A metric and where it is defined; `function` is "module:attribute", from Slice to Figure.

    `better` says which way is the good one; None where nobody can tell.
    """

    name: str
    title: str
    unit: Unit
    definition: str
    function: str
    version: int = 1
    better: Literal["higher", "lower"] | None = None
    aliases: tuple[str, ...] = ()

    @property
    def definition_id(self) -> str:
        """The metric and the version of its definition."""
        return f"{self.name}/{self.version}"

    def measure(self, cut: "Slice") -> "Figure":
        """The metric's figure for a scope and window."""
        figure: Figure = load(self.function)(cut)
        return figure


_DORA = "vpemetrics.metrics.dora"
_FLOW = "vpemetrics.metrics.flow"
_REVIEWS = "vpemetrics.metrics.reviews"
_AGENTS = "vpemetrics.metrics.agents"

_ALL: Final = (
    Metric(
        name="deployment_frequency",
        title="Deployments",
        unit=Unit.PER_WEEK,
        definition="How often production was reached, per week; forward, redeploy, rollback and "
        "stale deployments count, roll-outs of what is live elsewhere do not.",
        function=f"{_DORA}:deployment_frequency",
        better="higher",
        aliases=("frequency", "df", "deploy_frequency", "deployments"),
    ),
    Metric(
        name="time_between_deployments",
        title="Time between deployments",
        unit=Unit.SECONDS,
        definition="Median time from one deployment of a service to its next.",
        function=f"{_DORA}:time_between_deployments",
    ),
    Metric(
        name="change_lead_time",
        title="Lead time",
        unit=Unit.SECONDS,
        definition="First commit of a change to its first production deployment, calendar time; "
        "the median of the changes shipped in the window.",
        function=f"{_DORA}:change_lead_time",
        better="lower",
        aliases=("lead_time", "lead_time_for_changes", "ltc", "lt"),
    ),
    Metric(
        name="share_within_24h",
        title="In production within 24 h",
        unit=Unit.PROPORTION,
        definition="Share of the changes shipped in the window that took at most 24 hours.",
        function=f"{_DORA}:share_within_24h",
        better="higher",
        aliases=("within_24h",),
    ),
    Metric(
        name="change_fail_rate",
        title="Change fail rate",
        unit=Unit.PROPORTION,
        definition="Distinct forward deployments with a confirmed failure (evidence A to C) "
        "divided by all forward deployments, booked to the window of the deployment.",
        function=f"{_DORA}:change_fail_rate",
        better="lower",
        aliases=("cfr", "change_failure_rate", "fail_rate", "failure_rate"),
    ),
    Metric(
        name="change_fail_rate_with_suspected",
        title="Change fail rate, incl. suspected",
        unit=Unit.PROPORTION,
        definition="Change fail rate counting suspected failures (evidence D) too.",
        function=f"{_DORA}:change_fail_rate_with_suspected",
        better="lower",
        aliases=("cfr_with_suspected",),
    ),
    Metric(
        name="deployment_rework_rate",
        title="Rework rate",
        unit=Unit.PROPORTION,
        definition="Unplanned deployments (rollbacks, fixes of incidents, confirmed reverts, "
        "hotfixes) divided by all that count in frequency.",
        function=f"{_DORA}:deployment_rework_rate",
        better="lower",
        aliases=("rework_rate", "rework"),
    ),
    Metric(
        name="failed_deployment_recovery_time",
        title="Recovery",
        unit=Unit.SECONDS,
        definition="Start of a confirmed failure to its restoration; Kaplan-Meier median, open "
        "failures counted as still running.",
        function=f"{_DORA}:failed_deployment_recovery_time",
        better="lower",
        aliases=("mttr", "recovery", "recovery_time", "time_to_restore", "fdrt"),
    ),
    Metric(
        name="incident_restore_time",
        title="Incident restore time",
        unit=Unit.SECONDS,
        definition="Start of an incident, whatever its cause, to its restoration; Kaplan-Meier "
        "median, booked to the window in which it began.",
        function=f"{_FLOW}:incident_restore_time",
        better="lower",
        aliases=("restore_time",),
    ),
    Metric(
        name="customers_affected_time",
        title="Customers affected",
        unit=Unit.SECONDS,
        definition="Time in the window with a customer-affecting incident on at least one service.",
        function=f"{_FLOW}:customers_affected_time",
        better="lower",
        aliases=("customers_affected", "downtime"),
    ),
    Metric(
        name="batch_size",
        title="Batch size",
        unit=Unit.COUNT,
        definition="Median number of changes per forward deployment, those by automation included.",
        function=f"{_FLOW}:batch_size",
    ),
    Metric(
        name="shipped_without_review",
        title="Shipped without review",
        unit=Unit.PROPORTION,
        definition="Share of the changes by people and agents shipped in the window that nobody "
        "else had reviewed before the merge; direct commits have no review.",
        function=f"{_REVIEWS}:shipped_without_review",
        aliases=("without_review",),
    ),
    Metric(
        name="first_review_wait",
        title="Wait for first review",
        unit=Unit.SECONDS,
        definition="Ready for review to the first review by somebody else, over pull requests "
        "made ready in the 13 weeks up to the end of the window; Kaplan-Meier median, open ones "
        "counted as still waiting.",
        function=f"{_REVIEWS}:first_review_wait",
        aliases=("review_wait",),
    ),
    Metric(
        name="changes_waiting",
        title="Open and ready",
        unit=Unit.COUNT,
        definition="Pull requests by people and agents that are open and ready for review now; k "
        "of them nobody has reviewed yet.",
        function=f"{_REVIEWS}:changes_waiting",
        aliases=("awaiting_review",),
    ),
    Metric(
        name="agent_changes",
        title="Changes by agents",
        unit=Unit.COUNT,
        definition="Changes written by agents, of those by people and agents that were shipped in "
        "the window.",
        function=f"{_AGENTS}:agent_changes",
        aliases=("agents",),
    ),
    Metric(
        name="marked_changes",
        title="Marked changes",
        unit=Unit.COUNT,
        definition="Changes of which a trailer names a tool, of those by people and agents that "
        "were shipped in the window; at least so many, as others may not say so.",
        function=f"{_AGENTS}:marked_changes",
        aliases=("marks",),
    ),
    *(
        Metric(
            name=f"stage_{stage}",
            title=title,
            unit=Unit.PROPORTION,
            definition=f"Share of lead time spent {how}, over changes with all times known.",
            function=f"{_FLOW}:stage_{stage}",
        )
        for stage, title, how in (
            ("coding", "coding", "from the first commit until ready for review"),
            ("waiting_for_review", "wait review", "waiting for the first review"),
            ("review", "review", "from the first review to the merge"),
            ("unreviewed", "unreviewed", "between ready and merge, without a review"),
            ("waiting_to_deploy", "wait deploy", "from the merge to the start of the deployment"),
            ("deploying", "deploying", "in the deployment"),
        )
    ),
)

METRICS: Final[dict[str, Metric]] = {metric.name: metric for metric in _ALL}

ALIASES: Final[dict[str, str]] = {alias: metric.name for metric in _ALL for alias in metric.aliases}


def find(name: str) -> Metric | None:
    """The metric of a name or alias, hyphens and capitals as you like; None if there is none."""
    plain = name.casefold().replace("-", "_").replace(" ", "_")
    return METRICS.get(ALIASES.get(plain, plain))
