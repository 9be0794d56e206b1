"""The report as one value; every output, the JSON first, is a rendering of it."""

from datetime import date, datetime
from typing import Final, Literal

from pydantic import Field

from vpemetrics.metrics.agent_groups import AgentComparison
from vpemetrics.metrics.charts import Chart, ChartKind, Side
from vpemetrics.metrics.comparisons import Comparison, TargetWord
from vpemetrics.metrics.figures import Figure, Model, Scope, Texts, WindowRef
from vpemetrics.metrics.samples import ChartSamples

FORMAT: Final = "vpemetrics-report/1"


class CoverageCount(Model):
    """`known` of `total`."""

    known: int
    total: int


class FailureRow(Model):
    """One failed deployment, or one suspected of it."""

    service: str
    deployment: str
    commit: str | None = None
    started_at: datetime
    recovered_at: datetime | None = None
    recovery_time: float | None = Field(
        default=None, description="seconds; open ones up to data-as-of"
    )
    open: bool = False
    grade: Literal["A", "B", "C", "D"]
    evidence: str = Field(description="what ties the failure to the deployment, in a few words")
    incidents: tuple[str, ...] = ()
    url: str | None = None
    kind: str = Field(default="forward", description="kind of the deployment that failed")


class OpenIncident(Model):
    """An incident that is not over."""

    key: str = Field(description="the source's id of it")
    title: str | None
    services: tuple[str, ...]
    severity: int | None
    customers: bool = Field(description="customers are affected")
    began_at: datetime
    lasting: float = Field(description="seconds until the data ends")


class LastDeployment(Model):
    """The deployment before a window in which there was none."""

    service: str
    deployment: str
    finished_at: datetime
    url: str | None = None


class Problem(Model):
    """Something in the data that a figure suffers from."""

    reason: str
    count: int
    examples: tuple[str, ...] = ()
    remedy: str | None = None
    command: str | None = Field(default=None, description="a line for a shell that mends it")


class Outside(Model):
    """A service whose deployments in the week lie outside its own limits."""

    service: str
    deployments: int
    low: float
    high: float


class Exceptions(Model):
    """The services outside their limits, of those that have limits; without better or worse."""

    outside: tuple[Outside, ...] = Field(description="by name")
    judged: int = Field(description="services with complete limits")
    of: int = Field(description="services in the scope")
    expected: float = Field(description="how many chance alone would put outside, at most")


class NewLevel(Model):
    """Eight or more points in a row on one side of the usual, which still goes on."""

    metric: str
    kind: ChartKind
    side: Side
    since: date = Field(description="the first of the points")
    points: int
    center: float = Field(description="the usual that they are above or below")
    step: str = Field(description="TOML that declares the new level; the reason is yours to write")


class TargetStatus(Model):
    """A target of the report's scope, in the metric's unit, and how its limits stand to it."""

    metric: str
    at_most: float | None = None
    at_least: float | None = None
    word: TargetWord


class Remark(Model):
    """A mark that charts show beside their points: an event, or a declared step of a metric."""

    on: date
    what: str = Field(description="in the words of the configuration")
    metric: str | None = Field(default=None, description="whose level changed; null for an event")


class Report(Model):
    """A weekly report, or one over any window, for one scope."""

    format: Literal["vpemetrics-report/1"] = FORMAT
    version: str = Field(description="version of vpemetrics that computed it")
    organisation: str
    zone: str
    scope: Scope
    window: WindowRef = Field(description="the week, or the window that was asked for")
    headline: WindowRef = Field(description="the longer window beside it")
    partial: bool = False
    data_as_of: datetime | None
    services: CoverageCount = Field(description="services collected over the window")
    incidents: CoverageCount | None = Field(
        default=None, description="incidents with a known cause; null without an incident source"
    )
    incidents_external: int = 0
    open_incidents: tuple[OpenIncident, ...] = Field(
        default=(), description="incidents that are not over, whatever their cause; worst first"
    )
    automated_changes: int = 0
    waiting_changes: int = Field(
        default=0, description="merged in the headline window, not yet deployed"
    )
    last_deployment: LastDeployment | None = Field(
        default=None, description="the last one before the window, where it holds none"
    )
    summary: str = Field(description="the one-sentence headline, bad news first")
    figures: tuple[Figure, ...] = Field(
        description="by scope, window and metric; single weeks of the last 26 among them"
    )
    charts: tuple[Chart, ...] = Field(
        default=(), description="metrics over time with their limits and signals"
    )
    expected_false_alarms: float = Field(
        default=0.0, description="signals that chance alone would give on the charts in the window"
    )
    exceptions: Exceptions | None = Field(
        default=None, description="services outside their limits; null where nobody asks for them"
    )
    new_levels: tuple[NewLevel, ...] = Field(
        default=(), description="runs that go on, until a step declares them"
    )
    remarks: tuple[Remark, ...] = Field(
        default=(), description="events and declared steps of the year that charts show"
    )
    targets: tuple[TargetStatus, ...] = ()
    before: WindowRef | None = Field(
        default=None, description="the quarter before, beside a quarter; figures has its figures"
    )
    agents: AgentComparison | None = Field(
        default=None, description="changes with agents beside those without; null without any"
    )
    comparisons: tuple[Comparison, ...] = Field(
        default=(), description="of two complete quarters, with what may be said of them"
    )
    history: ChartSamples | None = Field(
        default=None, description="the samples that charts are drawn from, where any were asked for"
    )
    failures: tuple[FailureRow, ...] = ()
    problems: tuple[Problem, ...] = ()
    reliability: str | None = Field(default=None, description="read from input, never computed")
    definitions: Texts = Field(
        default_factory=dict, description="definition_id to the definition in one sentence"
    )
    notes: tuple[str, ...] = ()

    def figure(
        self, metric: str, window: WindowRef | None = None, scope: Scope | None = None
    ) -> Figure | None:
        """A metric's figure for a window (default: the report's) and scope, if there is one."""
        wanted, of = window or self.window, scope or self.scope
        for figure in self.figures:
            if figure.metric == metric and figure.window == wanted and figure.scope == of:
                return figure
        return None
