"""The settings of vpemetrics.toml: their names, types and defaults, and the rules they mean.

Every table of the file is a class here and every setting a field, under the same name.
docs/configuration.md describes them for people; a test holds the two together.
"""

import re
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from functools import cache
from math import isfinite
from pathlib import Path
from typing import Annotated, Any, Final, TypeGuard, get_args, get_origin
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from vpemetrics.config.weekly import parse_weekly
from vpemetrics.metrics.figures import Unit
from vpemetrics.metrics.registry import ALIASES, METRICS
from vpemetrics.metrics.registry import find as find_metric
from vpemetrics.names import name_key, nearest, nearest_zone
from vpemetrics.reports.registry import ENDINGS
from vpemetrics.rules import Event, LeadTimeStart, Quiet, Rules, Service, Step, Target

DEFAULT: Final = Rules()
WEEK: Final = "{week}"
"""The text for the week in the path that a scheduled report is written to."""

_UNITS: Final = {
    "s": timedelta(seconds=1),
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_DURATION: Final = re.compile(rf"(\d+(?:\.\d+)?) ?({'|'.join(_UNITS)})")
_SHARE: Final = re.compile(r"(\d+(?:\.\d+)?) ?%")
_SCOPE: Final = re.compile(r"(service|team):.+")
_FASTEST, _SLOWEST = timedelta(seconds=1), timedelta(weeks=1)
# Less would be a slip of the key: figures compare a week with those before it.
_KEPT_AT_LEAST, _KEPT_AT_MOST = timedelta(weeks=4), timedelta(weeks=5200)


def wrong(expected: str, near: str | None = None) -> PydanticCustomError:
    """The error of a value that is not what it should be, and the nearest one that is."""
    return PydanticCustomError("wrong", "{expected}", {"expected": expected, "near": near})


def parse_duration(value: object) -> timedelta:
    """The length of time a text such as `4h` names."""
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise wrong('a duration such as "90s", "30min", "4h", "2d" or "1w"')
    try:
        return float(found[1]) * _UNITS[found[2]]
    except OverflowError:
        raise wrong("a shorter duration") from None


def parse_share(value: object) -> float:
    """The proportion, 0 to 1, that `0.15` or `15%` names."""
    found = _SHARE.fullmatch(value) if isinstance(value, str) else None
    share = float(found[1]) / 100 if found else value
    if not _is_number(share) or not 0 <= share <= 1:
        raise wrong('a share such as "15%" or 0.15')
    return share


def parse_count(value: object) -> float:
    """A number that is not negative."""
    if not _is_number(value) or value < 0:
        raise wrong("a number, 0 or more")
    return value


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


_PARSERS: Final[dict[Unit, Callable[[object], float]]] = {
    Unit.SECONDS: lambda value: parse_duration(value).total_seconds(),
    Unit.PROPORTION: parse_share,
    Unit.PER_WEEK: parse_count,
    Unit.COUNT: parse_count,
    Unit.LINES: parse_count,
}


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        raise wrong('a time zone such as "Europe/Dublin"', nearest_zone(name)) from None
    return name


def _start(value: object) -> LeadTimeStart:
    choices = [start.value for start in LeadTimeStart]
    if value not in choices:
        raise wrong(f"one of {', '.join(choices)}", nearest(value, choices))
    return LeadTimeStart(value)


def _metric(name: str) -> str:
    metric = find_metric(name)
    if metric is None:
        raise wrong("the name of a metric", nearest(name, (*METRICS, *ALIASES)))
    return metric.name


def _scope(text: str) -> str:
    if not _SCOPE.fullmatch(text):
        raise wrong('"service:NAME" or "team:NAME"')
    return text


def _interval(length: timedelta) -> timedelta:
    if not _FASTEST <= length <= _SLOWEST:
        raise wrong('a duration between "1s" and "1w"')
    return length


def _kept(length: timedelta) -> timedelta:
    if length < _KEPT_AT_LEAST or length > _KEPT_AT_MOST:
        raise wrong('a duration between "4w" and "5200w"')
    return length


def _weekly(text: str) -> str:
    try:
        return str(parse_weekly(text))
    except ValueError:
        raise wrong('a weekday and a time, as in "mon 06:00"') from None


def _output(path: str) -> str:
    if Path(path).suffix.lower() not in ENDINGS:
        raise wrong(f"a file whose ending is one of {', '.join(ENDINGS)}")
    if set(re.findall(r"\{.*?\}", path)) - {WEEK}:
        raise wrong(f"{WEEK}, and nothing else in braces")
    return path


Text = Annotated[str, Field(min_length=1)]
Texts = Annotated[tuple[Text, ...], Field(strict=False)]
SomeTexts = Annotated[tuple[Text, ...], Field(strict=False, min_length=1)]
Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
Metric = Annotated[str, AfterValidator(_metric)]
Scope = Annotated[str, AfterValidator(_scope)]


class SettingsTable(BaseModel):
    """A table of the file: frozen, without conversions between types or unknown keys."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Organisation(SettingsTable):
    """The organisation that the reports speak of."""

    name: Text = DEFAULT.organisation
    timezone: Annotated[str, AfterValidator(_zone)] = DEFAULT.zone


class Production(SettingsTable):
    """The environments that are production (rule D2)."""

    environments: SomeTexts = DEFAULT.environments


class LeadTime(SettingsTable):
    """The measuring of change lead time (rule T1)."""

    start: Annotated[LeadTimeStart, BeforeValidator(_start)] = DEFAULT.lead_time_start


class BotSettings(SettingsTable):
    """The authors who are automation, beside those that sources mark as such (rule C3)."""

    authors: Texts = DEFAULT.bots


class AgentSettings(SettingsTable):
    """The authors who are agents, beside those that everybody knows (rule C3)."""

    authors: Texts = DEFAULT.agents


class FailureSettings(SettingsTable):
    """The ties of an incident to a deployment, and the marks of a hotfix (rules F1, F4)."""

    suspect_within: Duration = DEFAULT.incident_window
    incident_labels: Texts = DEFAULT.incident_labels
    hotfix_labels: Texts = DEFAULT.hotfix_labels
    hotfix_branches: Texts = DEFAULT.hotfix_branches


class Deployments(SettingsTable):
    """The deployments that count (rule D1)."""

    superseded_within: Duration = DEFAULT.superseded_within


class ServiceTable(SettingsTable):
    """A service and its owner (rule D6)."""

    name: Text
    team: Text | None = None
    repository: Text | None = None
    sources: Texts = ()
    paths: Texts = ()
    environments: Texts = ()


class TargetTable(SettingsTable):
    """A goal for a metric (rule L5)."""

    metric: Metric
    at_most: float | None = None
    at_least: float | None = None
    scope: Scope | None = None

    @field_validator("at_most", "at_least", mode="before")
    @classmethod
    def _in_the_metrics_unit(cls, value: object, info: ValidationInfo) -> float | None:
        metric = info.data.get("metric")
        return None if metric is None else _PARSERS[METRICS[metric].unit](value)

    @model_validator(mode="after")
    def _has_a_limit(self) -> "TargetTable":
        low, high = self.at_least, self.at_most
        if low is None and high is None:
            raise wrong("at_most or at_least, or both")
        if low is not None and high is not None and low > high:
            raise wrong("at_least not above at_most")
        return self


class StepTable(SettingsTable):
    """A declared change of level (rule L3)."""

    metric: Metric
    on: date
    why: Text
    scope: Scope | None = None


class QuietTable(SettingsTable):
    """Days on which fewer people work (rule L1)."""

    first: date
    last: date
    yearly: bool = False

    @model_validator(mode="after")
    def _ends_within_a_year(self) -> "QuietTable":
        if not timedelta(0) <= self.last - self.first < timedelta(days=365):
            raise wrong("last not before first, and within a year of it")
        return self


class EventTable(SettingsTable):
    """A dated remark that charts show."""

    on: date
    what: Text


class Reliability(SettingsTable):
    """The file that the attainment of service level objectives is read from (rule G4)."""

    file: Text | None = None


class Retention(SettingsTable):
    """The time that records are kept for; without it they stay."""

    keep: Annotated[Duration, AfterValidator(_kept)] | None = None


class ScheduleSettings(SettingsTable):
    """The times at which `vpemetrics schedule` collects and reports, and the path of reports."""

    collect: Annotated[Duration, AfterValidator(_interval)] = timedelta(hours=1)
    report: Annotated[str, AfterValidator(_weekly)] = "mon 06:00"
    output: Annotated[str, AfterValidator(_output)] = f"reports/{WEEK}.html"


class SourceTable(SettingsTable):
    """A source to collect from; which further settings it has depends on its type."""

    model_config = ConfigDict(frozen=True, strict=True, extra="allow")

    type: Text

    @property
    def options(self) -> dict[str, Any]:
        """The settings that are the source's own."""
        return dict(self.__pydantic_extra__ or {})


class Settings(SettingsTable):
    """The whole file."""

    store: Text | None = None
    organisation: Organisation = Organisation()
    production: Production = Production()
    lead_time: LeadTime = LeadTime()
    bots: BotSettings = BotSettings()
    agents: AgentSettings = AgentSettings()
    failures: FailureSettings = FailureSettings()
    deployments: Deployments = Deployments()
    reliability: Reliability = Reliability()
    retention: Retention = Retention()
    schedule: ScheduleSettings = ScheduleSettings()
    service: Annotated[tuple[ServiceTable, ...], Field(strict=False)] = ()
    target: Annotated[tuple[TargetTable, ...], Field(strict=False)] = ()
    step: Annotated[tuple[StepTable, ...], Field(strict=False)] = ()
    quiet: Annotated[tuple[QuietTable, ...], Field(strict=False)] = ()
    event: Annotated[tuple[EventTable, ...], Field(strict=False)] = ()
    sources: dict[str, SourceTable] = {}

    def rules(self) -> Rules:
        """The rules that the settings are to lineage and metrics; names in their first spelling."""
        spelled = _first_spellings(self.service)
        services = (dict(service) | {"team": spelled(service.team)} for service in self.service)
        targets, steps = (
            [dict(table) | {"scope": spelled(table.scope)} for table in tables_]
            for tables_ in (self.target, self.step)
        )
        return Rules(
            organisation=self.organisation.name,
            zone=self.organisation.timezone,
            services=tuple(Service(**service) for service in services),
            environments=self.production.environments,
            lead_time_start=self.lead_time.start,
            bots=self.bots.authors,
            agents=self.agents.authors,
            incident_window=self.failures.suspect_within,
            incident_labels=self.failures.incident_labels,
            hotfix_labels=self.failures.hotfix_labels,
            hotfix_branches=self.failures.hotfix_branches,
            superseded_within=self.deployments.superseded_within,
            targets=tuple(Target(**target) for target in targets),
            steps=tuple(Step(**step) for step in steps),
            quiet=tuple(Quiet(**dict(days)) for days in self.quiet),
            events=tuple(Event(**dict(event)) for event in self.event),
            reliability=self.reliability.file,
        )


def _first_spellings(services: Iterable[ServiceTable]) -> Callable[[str | None], str | None]:
    """The spelling of teams and of scopes, as in `team:Payments`, in which each comes first."""
    first: dict[str, str] = {}
    for service in services:
        if service.team:
            first.setdefault(name_key(service.team), service.team)
            team = first[name_key(service.team)]
            first.setdefault(name_key(f"team:{team}"), f"team:{team}")
        first.setdefault(name_key(f"service:{service.name}"), f"service:{service.name}")
    return lambda name: None if name is None else first.get(name_key(name), name)


@cache
def tables() -> dict[str, type[SettingsTable]]:
    """The tables of the file by name, lists of tables among them."""
    return {
        name: table
        for name, field in Settings.model_fields.items()
        for table in (field.annotation, *get_args(field.annotation))
        if isinstance(table, type) and issubclass(table, SettingsTable)
    }


@cache
def settings() -> dict[str, FieldInfo]:
    """Every setting by its dotted name, as in `organisation.timezone` or `service.name`."""
    inside = {
        f"{name}.{key}": field
        for name, table in tables().items()
        for key, field in table.model_fields.items()
    }
    top = {name: f for name, f in Settings.model_fields.items() if name not in tables()}
    return top | inside


def header(table: str) -> str:
    """The first line of a table in the file: `[bots]`, `[[service]]` or `[sources.NAME]`."""
    shape = get_origin(Settings.model_fields[table].annotation)
    if shape is tuple:
        return f"[[{table}]]"
    return f"[{table}.NAME]" if shape is dict else f"[{table}]"


def single_settings() -> tuple[str, ...]:
    """The settings that hold one value and stand in the file once: the environment can set them."""
    return tuple(
        name
        for name, field in settings().items()
        if get_origin(field.annotation) is not tuple and _stands_once(name.rpartition(".")[0])
    )


def _stands_once(table: str) -> bool:
    return not table or header(table) == f"[{table}]"
