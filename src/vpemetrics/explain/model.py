"""An explanation as a value: the records behind a figure, or what was made of one record.

Nothing in it speaks of a person.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal

from pydantic import Field

from vpemetrics.metrics.figures import Figure, Model, Unit
from vpemetrics.records import Change, Commit, Deployment, Incident

RecordKind = Literal["commit", "deployment", "incident", "pull_request"]

KINDS: Final[Mapping[str, RecordKind]] = {
    Commit.KIND: "commit",
    Change.KIND: "pull_request",
    Deployment.KIND: "deployment",
    Incident.KIND: "incident",
}
"""The name of one record of a kind."""


class Entry(Model):
    """One record, and what it is in the place where it is listed."""

    kind: RecordKind
    id: str = Field(description="the source's own name for it; of a commit the sha")
    service: str | None = None
    at: datetime | None = Field(default=None, description="the moment it is booked to")
    start_at: datetime | None = Field(default=None, description="where its time starts")
    end_at: datetime | None = Field(default=None, description="where its time ends")
    value: float | None = Field(default=None, description="what it adds, in the group's unit")
    total: float | None = Field(default=None, description="what a stage's value is a part of")
    open: bool = Field(default=False, description="not over yet; the value runs to data-as-of")
    what: str = ""
    url: str | None = None


class RecordGroup(Model):
    """Records that play one part in a figure, or stand in one relation to a record."""

    title: str
    role: Literal["k", "n", "left_out", "beside"] = Field(
        default="beside",
        description="k: numerator, and so in n too; n: samples or the rest of the denominator; "
        "left_out: for the reason; beside: in neither",
    )
    reason: str | None = Field(default=None, description="why left out, as in the figure")
    unit: Unit | None = Field(default=None, description="unit of the entries' values")
    by_value: bool = Field(default=False, description="in order of value, else of time")
    entries: tuple[Entry, ...]


class CurveStep(Model):
    """One step of a Kaplan-Meier curve."""

    seconds: float
    at_risk: int
    ended: int
    survival: float


class Fact(Model):
    """Something known of a record: a moment, words, or both."""

    name: str
    at: datetime | None = None
    text: str = ""


class Explanation(Model):
    """The origin of a figure, or the story of a record."""

    format: Literal["vpemetrics-explanation/1"] = "vpemetrics-explanation/1"
    version: str = Field(description="version of vpemetrics that made it")
    subject: Literal["metric", "commit", "deployment", "incident", "pull_request", "service"]
    id: str = Field(description="the metric's or service's name, or the source's for the record")
    title: str
    url: str | None = None
    zone: str
    data_as_of: datetime | None = None
    choice: str = Field(
        default="",
        description="which window of the report it is, and why that; empty if it was asked for",
    )
    definition: str | None = None
    figure: Figure | None = None
    facts: tuple[Fact, ...] = ()
    arithmetic: tuple[str, ...] = ()
    curve: tuple[CurveStep, ...] = Field(
        default=(), description="the Kaplan-Meier curve, if one was"
    )
    groups: tuple[RecordGroup, ...] = ()
    hints: tuple[str, ...] = Field(default=(), description="where to look next")
