"""Figures: a number and all that it carries (rule G1); every output renders from these values.

Durations are seconds, proportions 0 to 1, counts whole; nothing is rounded here.
`None` means there is no value; it is never a zero.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer


class Model(BaseModel):
    """A frozen value that refuses fields it does not know, and numbers that are none."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        json_schema_serialization_defaults_required=True,  # we always write every key
    )


Amount = TypeVar("Amount", int, float, str)


def _by_name(amounts: dict[str, Amount]) -> dict[str, Amount]:
    return dict(sorted(amounts.items()))


Counts = Annotated[dict[str, int], PlainSerializer(_by_name, return_type=dict[str, int])]
Numbers = Annotated[dict[str, float], PlainSerializer(_by_name, return_type=dict[str, float])]
Texts = Annotated[dict[str, str], PlainSerializer(_by_name, return_type=dict[str, str])]
"""Maps that are written in the order of their names, however they were put together."""


class Unit(StrEnum):
    """The unit of a figure's value."""

    COUNT = "count"
    PER_WEEK = "per_week"
    SECONDS = "seconds"
    PROPORTION = "proportion"
    LINES = "lines"


class Scope(Model):
    """The service, team or organisation that a figure speaks of."""

    kind: Literal["service", "team", "organisation"]
    name: str


class WindowRef(Model):
    """A range of dates, end exclusive, and its label."""

    start: date
    end: date
    label: str


class IntervalRef(Model):
    """A confidence interval; a limit of `None` is open."""

    low: float | None
    high: float | None
    level: float = 0.95
    method: str
    approx: bool = False


class FigureCoverage(Model):
    """The part that was collected of what the figure speaks of."""

    services: int = Field(description="services collected over the whole window")
    of: int = Field(description="services in the scope")
    start: date | None = Field(default=None, description="first collected date inside the window")
    end: date | None = Field(
        default=None, description="day after the last collected date inside it"
    )
    incidents: bool = Field(
        default=False, description="an incident source covers the scope and window"
    )


class Figure(Model):
    """One number with everything needed to judge it."""

    metric: str
    definition_id: str = Field(description="metric and version of its definition, as in metric/1")
    scope: Scope
    window: WindowRef
    value: float | None
    unit: Unit
    n: int | None = Field(default=None, description="samples, or the denominator of a proportion")
    k: int | None = Field(default=None, description="numerator of a proportion")
    deployments: int | None = Field(
        default=None, description="deployments that shipped a counted change, or the forward ones"
    )
    interval: IntervalRef | None = None
    provisional: bool = False
    partial: bool = Field(
        default=False, description="the window is running, clipped or not all collected"
    )
    excluded: Counts = Field(default_factory=dict, description="left out, by reason")
    coverage: FigureCoverage | None = None
    signal: str | None = Field(
        default=None, description="better, worse or usual; null where no limits tell"
    )
    attribution: Literal["graph", "time", "mixed"] | None = None
    beside: Numbers = Field(
        default_factory=dict, description="named numbers that are printed beside the value"
    )
    values: tuple[float, ...] = Field(
        default=(), description="the samples themselves where there are too few for a statistic"
    )
    note: str | None = Field(default=None, description="why there is no value, or what limits it")
    group: str | None = Field(
        default=None, description="the part of the changes it speaks of, where it is one of several"
    )
