"""The samples behind figures, for charts: how long things took, and weeks by service.

None of them is about a person.
"""

from datetime import date

from pydantic import Field

from vpemetrics.metrics.figures import Counts, Model, WindowRef


class Distribution(Model):
    """The times that the changes of a window took, from the quickest to the slowest."""

    window: WindowRef
    n: int
    within: Counts = Field(description="how many took at most an hour, a day, a week, 30 days")
    seconds: tuple[float, ...] = Field(
        description="ascending; of more than 500 changes that many evenly spaced quantiles"
    )


class Recovery(Model):
    """A confirmed failure: when its deployment finished, and how long until it was restored."""

    service: str
    on: date = Field(description="date on which the failed deployment finished")
    seconds: float = Field(description="to its restoration; open ones up to data-as-of")
    open: bool


class ServiceWeeks(Model):
    """The deployments of one service week by week.

    Null is a week that was not collected, or of which nothing is known in the part that was.
    """

    service: str
    weeks: tuple[int | None, ...]


class ChartSamples(Model):
    """The samples that charts are drawn from."""

    lead_times: Distribution
    recoveries: tuple[Recovery, ...] = Field(description="in the order of their dates")
    since: date = Field(description="where recoveries and weeks begin")
    services: tuple[ServiceWeeks, ...] = Field(
        description="by name; weeks begin at `since`, or at the Monday before it"
    )
