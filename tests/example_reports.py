"""Reports as the metrics would make them, to be rendered; the numbers are made up."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from vpemetrics.metrics.figures import (
    Figure,
    FigureCoverage,
    IntervalRef,
    Scope,
    Unit,
    WindowRef,
)
from vpemetrics.reports.model import CoverageCount, FailureRow, Problem, Report
from vpemetrics.reports.words import STAGES

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
ACME = Scope(kind="organisation", name="Acme engineering")
WEEK = WindowRef(start=date(2026, 8, 31), end=date(2026, 9, 7), label="2026-W36")
QUARTER = WindowRef(start=date(2026, 7, 1), end=date(2026, 10, 1), label="2026-Q3")
DEFINITIONS = {
    "deployment_frequency/1": "Deployments that reached production, per week.",
    "change_lead_time/1": "First commit of a change to its first production deployment, calendar "
    "time; the median.",
    "failed_deployment_recovery_time/1": "Start of a confirmed failure to its restoration.",
    "change_fail_rate/1": "Forward deployments with a confirmed failure, of all forward ones.",
    "deployment_rework_rate/1": "Unplanned deployments, of all.",
}
LAST = WindowRef(start=date(2026, 9, 28), end=date(2026, 10, 1), label="2026-W40")
LATELY = (53, 40, 47, 34, 41, 54, 46, 41, 47, 40, 41, 40, 48)
NO_SOURCE = "no incident source"


def weeks_to(week: WindowRef, weeks: int) -> WindowRef:
    start = week.end - timedelta(weeks=weeks)
    return WindowRef(start=start, end=week.end, label=f"{start}..{week.end}")


FOUR, THIRTEEN = weeks_to(WEEK, 4), weeks_to(WEEK, 13)


def figure(
    metric: str,
    window: WindowRef,
    value: float | None,
    unit: Unit,
    scope: Scope = ACME,
    limits: tuple[float | None, float | None] | None = None,
    n: int | None = None,
    k: int | None = None,
    deployments: int | None = None,
    beside: Mapping[str, float] | None = None,
    values: Sequence[float] = (),
    note: str | None = None,
    excluded: Mapping[str, int] | None = None,
    coverage: FigureCoverage | None = None,
    partial: bool = False,
) -> Figure:
    return Figure(
        metric=metric,
        definition_id=f"{metric}/1",
        scope=scope,
        window=window,
        value=value,
        unit=unit,
        n=n,
        k=k,
        deployments=deployments,
        interval=limits and IntervalRef(low=limits[0], high=limits[1], method="example"),
        beside=dict(beside or {}),
        values=tuple(values),
        note=note,
        excluded=dict(excluded or {}),
        coverage=coverage,
        partial=partial,
    )


def proportion(
    metric: str,
    window: WindowRef,
    k: int,
    n: int,
    limits: tuple[float, float] | None = None,
    scope: Scope = ACME,
    beside: Mapping[str, float] | None = None,
    note: str | None = None,
    excluded: Mapping[str, int] | None = None,
) -> Figure:
    return figure(
        metric,
        window,
        k / n if n else None,
        Unit.PROPORTION,
        scope,
        limits,
        n=n,
        k=k,
        beside=beside,
        note=note,
        excluded=excluded,
    )


def frequency(
    window: WindowRef,
    n: int | None,
    scope: Scope = ACME,
    beside: Mapping[str, float] | None = None,
    note: str | None = None,
    coverage: FigureCoverage | None = None,
    partial: bool = False,
) -> Figure:
    value = None if n is None else n / ((window.end - window.start).days / 7)
    return figure(
        "deployment_frequency",
        window,
        value,
        Unit.PER_WEEK,
        scope,
        n=n,
        beside=beside,
        note=note,
        coverage=coverage,
        partial=partial,
    )


def single_weeks(
    counts: Iterable[int | None], last: WindowRef = WEEK, scope: Scope = ACME
) -> list[Figure]:
    """Weekly deployment counts that end before `last`; None where nothing was collected."""
    figures = []
    for ago, n in enumerate(reversed(list(counts)), start=1):
        start = last.start - timedelta(weeks=ago)
        year, week, _ = start.isocalendar()
        window = WindowRef(start=start, end=start + timedelta(weeks=1), label=f"{year}-W{week:02d}")
        figures.append(frequency(window, n, scope))
    return figures


def stages(window: WindowRef, parts: Sequence[float], n: int, scope: Scope = ACME) -> list[Figure]:
    return [
        figure(
            stage, window, part, Unit.PROPORTION, scope, n=n, beside={"median": part * 30 * HOUR}
        )
        for stage, part in zip(STAGES, parts, strict=True)
    ]


def withheld_stages(window: WindowRef, scope: Scope = ACME) -> list[Figure]:
    note = "withheld: fewer than 3 human authors"
    return [figure(stage, window, None, Unit.PROPORTION, scope, n=0, note=note) for stage in STAGES]


def report(
    figures: Sequence[Figure],
    *,
    scope: Scope = ACME,
    organisation: str = "Acme engineering",
    zone: str = "Europe/Dublin",
    window: WindowRef = WEEK,
    headline: WindowRef = FOUR,
    partial: bool = False,
    data_as_of: datetime | None = datetime(2026, 9, 7, 5, tzinfo=UTC),
    services: tuple[int, int] = (13, 14),
    incidents: tuple[int, int] | None = (9, 11),
    external: int = 0,
    bots: int = 0,
    waiting: int = 0,
    summary: str = "No failure is open.",
    failures: Sequence[FailureRow] = (),
    problems: Sequence[Problem] = (),
    reliability: str | None = None,
    notes: Sequence[str] = (),
) -> Report:
    return Report(
        version="0.1.0",
        organisation=organisation,
        zone=zone,
        scope=scope,
        window=window,
        headline=headline,
        partial=partial,
        data_as_of=data_as_of,
        services=CoverageCount(known=services[0], total=services[1]),
        incidents=incidents and CoverageCount(known=incidents[0], total=incidents[1]),
        incidents_external=external,
        automated_changes=bots,
        waiting_changes=waiting,
        summary=summary,
        figures=tuple(figures),
        failures=tuple(failures),
        problems=tuple(problems),
        reliability=reliability,
        definitions=DEFINITIONS,
        notes=tuple(notes),
    )


CHECKOUT_OPEN = FailureRow(
    service="checkout",
    deployment="1207",
    commit="4f2c9e1a7b3d5f60718293a4b5c6d7e8f9012345",
    started_at=datetime(2026, 9, 6, 10, 10, tzinfo=UTC),
    recovery_time=19 * HOUR,
    open=True,
    grade="A",
    evidence="the incident names the commit",
    incidents=("INC-212",),
)


def full_week() -> Report:
    """A busy organisation with one failure still open."""
    kinds = {"forward": 47, "rollback": 1, "stale": 1, "failed_attempts": 2}
    four_kinds = {
        "forward": 171,
        "rollback": 5,
        "redeploy": 2,
        "failed_attempts": 6,
        "days_with_deployment": 4.75,
        "median_service": 2.25,
    }
    chance = {"suspected_by_chance": 0.412}
    return report(
        [
            frequency(WEEK, 49, beside=kinds),
            frequency(FOUR, 178, beside=four_kinds, note="daily"),
            *single_weeks(
                [33, 40, 47, 34, 46, 52, 41, 47, 29, 41, 45, 46, *LATELY],
            ),
            figure("time_between_deployments", FOUR, 2.9 * HOUR, Unit.SECONDS, n=177),
            figure("change_lead_time", WEEK, 21.2 * HOUR, Unit.SECONDS, n=62, deployments=44),
            figure(
                "change_lead_time",
                FOUR,
                23.1 * HOUR,
                Unit.SECONDS,
                limits=(18.2 * HOUR, 29.6 * HOUR),
                n=214,
                deployments=151,
                beside={"p90": 4.2 * DAY, "starts_at_merge": 12, "waiting": 31, "automation": 38},
                excluded={"automation": 38, "negative": 2, "deployed_before_merge": 1},
            ),
            proportion("share_within_24h", WEEK, 33, 62, (0.41, 0.651)),
            proportion("share_within_24h", FOUR, 109, 214, (0.4428, 0.5756)),
            figure(
                "failed_deployment_recovery_time",
                WEEK,
                None,
                Unit.SECONDS,
                n=1,
                beside={"open": 1, "longest": 19 * HOUR},
                values=[19 * HOUR],
            ),
            figure(
                "failed_deployment_recovery_time",
                FOUR,
                48 * MINUTE,
                Unit.SECONDS,
                n=7,
                beside={"open": 1, "longest": 19 * HOUR},
            ),
            figure(
                "failed_deployment_recovery_time",
                THIRTEEN,
                52 * MINUTE,
                Unit.SECONDS,
                limits=(31 * MINUTE, 1.4 * HOUR),
                n=27,
                beside={"open": 1, "longest": 19 * HOUR},
            ),
            proportion("change_fail_rate", WEEK, 1, 47, (0.0038, 0.111)),
            proportion(
                "change_fail_rate",
                FOUR,
                7,
                171,
                (0.01997, 0.08214),
                beside={"failed_not_forward": 1},
                excluded={"external": 2},
            ),
            proportion("change_fail_rate_with_suspected", WEEK, 2, 47, (0.0117, 0.1425)),
            proportion(
                "change_fail_rate_with_suspected", FOUR, 10, 171, (0.0321, 0.1044), beside=chance
            ),
            proportion("deployment_rework_rate", WEEK, 2, 49, (0.0113, 0.1371)),
            proportion(
                "deployment_rework_rate",
                FOUR,
                9,
                178,
                (0.0268, 0.0933),
                beside={"rollback": 5, "fix": 3, "hotfix": 1},
            ),
            figure("incident_restore_time", WEEK, None, Unit.SECONDS, n=2, values=[2400, 5 * HOUR]),
            figure("incident_restore_time", FOUR, 1.1 * HOUR, Unit.SECONDS, n=11),
            figure("customers_affected_time", WEEK, 0, Unit.SECONDS, n=0),
            figure("customers_affected_time", FOUR, 6.4 * HOUR, Unit.SECONDS, n=3),
            figure("batch_size", FOUR, 2, Unit.COUNT, n=171, beside={"human": 1, "lines": 46}),
            proportion("shipped_without_review", FOUR, 21, 214, (0.0651, 0.1454)),
            figure("first_review_wait", FOUR, 5.5 * HOUR, Unit.SECONDS, n=201, beside={"open": 9}),
            figure("changes_waiting", FOUR, 17, Unit.COUNT, n=17, k=6),
            figure("agent_changes", FOUR, 14, Unit.COUNT, n=214, k=14),
            figure("marked_changes", FOUR, 31, Unit.COUNT, n=214, k=31),
            *stages(FOUR, [0.272, 0.411, 0.138, 0.021, 0.126, 0.032], 180),
        ],
        external=2,
        bots=38,
        waiting=31,
        summary="One failure is still open (checkout, 19 h); no delivery signal.",
        failures=[CHECKOUT_OPEN],
        reliability="SLOs met 11/12 (source: slo.csv)",
        problems=[
            Problem(
                reason="unknown_commit",
                count=3,
                examples=("v1401", "v1402", "v1407"),
                remedy="git -C checkout fetch --tags",
            ),
            Problem(reason="stale", count=1, examples=("v1399",)),
        ],
    )


def quiet_week() -> Report:
    """A collected week in which nothing was deployed, in an organisation that seldom does."""
    zero = [
        figure("change_lead_time", WEEK, None, Unit.SECONDS, n=0),
        figure("failed_deployment_recovery_time", WEEK, None, Unit.SECONDS, n=0),
        *(
            proportion(metric, WEEK, 0, 0)
            for metric in (
                "share_within_24h",
                "change_fail_rate",
                "change_fail_rate_with_suspected",
                "deployment_rework_rate",
            )
        ),
    ]
    return report(
        [
            frequency(WEEK, 0, beside={"forward": 0}),
            frequency(THIRTEEN, 12, beside={"forward": 12}, note="monthly"),
            *single_weeks(
                [1, 0, 2, 0, 0, 1, 3, 0, 1, 1, 0, 0, 2, 1, 0, 1, 2, 0, 0, 1, 4, 1, 0, 2, 0]
            ),
            *zero,
            figure(
                "change_lead_time",
                THIRTEEN,
                6.3 * DAY,
                Unit.SECONDS,
                limits=(3.1 * DAY, None),
                n=14,
                deployments=9,
                beside={"slowest": 33 * DAY},
            ),
            proportion("share_within_24h", THIRTEEN, 2, 14, (0.04, 0.4)),
            figure(
                "failed_deployment_recovery_time",
                THIRTEEN,
                None,
                Unit.SECONDS,
                n=2,
                beside={"open": 0, "longest": 5.1 * HOUR},
                values=[0.6 * HOUR, 5.1 * HOUR],
            ),
            proportion("change_fail_rate", THIRTEEN, 2, 12, (0.0470, 0.4480)),
            proportion("change_fail_rate_with_suspected", THIRTEEN, 2, 12, (0.0470, 0.4480)),
            proportion("deployment_rework_rate", THIRTEEN, 1, 12, (0.0149, 0.3539)),
            *withheld_stages(THIRTEEN),
        ],
        headline=THIRTEEN,
        services=(3, 3),
        incidents=(2, 2),
        summary="Nothing was deployed this week; no failure is open.",
        zone="UTC",
    )


def no_incident_source() -> Report:
    """One service of a public body: deployments and commits, no incidents, no reviews."""
    scope = Scope(kind="service", name="publishing-api")
    week = WindowRef(start=date(2026, 8, 10), end=date(2026, 8, 17), label="2026-W33")
    four = weeks_to(week, 4)

    def rates(window: WindowRef, failed: int, suspected: int, forward: int) -> list[Figure]:
        return [
            proportion("change_fail_rate", window, failed, forward, scope=scope, note=NO_SOURCE),
            proportion(
                "change_fail_rate_with_suspected",
                window,
                suspected,
                forward,
                scope=scope,
                note=NO_SOURCE,
                beside={"suspected_by_chance": 0.38},
            ),
            figure(
                "failed_deployment_recovery_time",
                window,
                None,
                Unit.SECONDS,
                scope,
                n=failed,
                note=NO_SOURCE,
            ),
        ]

    return report(
        [
            frequency(week, 9, scope, beside={"forward": 9}),
            frequency(
                four,
                31,
                scope,
                beside={"forward": 29, "stale": 1, "redeploy": 1, "days_with_deployment": 3.5},
                note="daily",
            ),
            *single_weeks(
                [
                    8,
                    6,
                    9,
                    11,
                    7,
                    None,
                    None,
                    10,
                    4,
                    6,
                    8,
                    9,
                    12,
                    7,
                    3,
                    0,
                    5,
                    8,
                    9,
                    6,
                    10,
                    7,
                    8,
                    6,
                    8,
                ],
                week,
                scope,
            ),
            figure(
                "change_lead_time",
                week,
                None,
                Unit.SECONDS,
                scope,
                n=4,
                deployments=4,
                values=[1.2 * HOUR, 21.4 * HOUR, 2.6 * DAY, 6.1 * DAY],
            ),
            figure(
                "change_lead_time",
                four,
                22.959 * HOUR,
                Unit.SECONDS,
                scope,
                (19.6 * HOUR, 2.4 * DAY),
                n=22,
                deployments=14,
                beside={"p90": 6.1 * DAY, "waiting": 3, "automation": 41},
            ),
            proportion("share_within_24h", week, 2, 4, scope=scope),
            proportion("share_within_24h", four, 12, 22, (0.3469, 0.7309), scope),
            *rates(week, 0, 0, 9),
            *rates(four, 0, 2, 29),
            proportion("deployment_rework_rate", week, 0, 9, scope=scope, note=NO_SOURCE),
            proportion("deployment_rework_rate", four, 1, 31, scope=scope, note=NO_SOURCE),
            *(
                figure(figure_.metric, four, None, Unit.PROPORTION, scope, n=0)
                for figure_ in withheld_stages(four)
            ),
        ],
        scope=scope,
        organisation="GOV.UK",
        zone="Europe/London",
        window=week,
        headline=four,
        data_as_of=datetime(2026, 8, 17, 4, 12, tzinfo=UTC),
        services=(1, 1),
        incidents=None,
        bots=41,
        waiting=3,
        summary="No failure is known; without an incident source most would stay unseen.",
        problems=[
            Problem(
                reason="unknown_commit",
                count=27,
                examples=("v884", "v885", "v886", "v901"),
                remedy="collect the tags of alphagov/publishing-api, or drop the versions",
            )
        ],
        notes=["No reviews were collected: stages have no values."],
    )


def new_store() -> Report:
    """Three deployments, collected since Wednesday."""
    since = FigureCoverage(
        services=1, of=1, start=date(2026, 9, 2), end=date(2026, 9, 7), incidents=False
    )
    three = {"forward": 3}
    figures = [
        part
        for window in (WEEK, FOUR)
        for part in (
            frequency(window, 3, beside=three, coverage=since, partial=True),
            figure(
                "change_lead_time",
                window,
                None,
                Unit.SECONDS,
                n=2,
                deployments=2,
                values=[3.4 * HOUR, 2.1 * DAY],
                excluded={"first_deployment": 1},
            ),
            proportion("share_within_24h", window, 1, 2, (0.0945, 0.9055)),
            proportion("change_fail_rate", window, 0, 3, note=NO_SOURCE),
            proportion("change_fail_rate_with_suspected", window, 0, 3, note=NO_SOURCE),
            proportion("deployment_rework_rate", window, 0, 3, note=NO_SOURCE),
            figure(
                "failed_deployment_recovery_time",
                window,
                None,
                Unit.SECONDS,
                n=0,
                note=NO_SOURCE,
            ),
        )
    ]
    return report(
        figures,
        organisation="Engineering",
        scope=ACME,
        zone="UTC",
        partial=True,
        services=(1, 1),
        incidents=None,
        summary="Three deployments since 2 Sep; too few yet for rates and medians.",
    )


def empty_store() -> Report:
    """Nothing was ever collected."""
    return report(
        [],
        organisation="Engineering",
        zone="UTC",
        data_as_of=None,
        services=(0, 0),
        incidents=None,
        summary="Nothing has been collected yet.",
    )


def quarter_of_a_service() -> Report:
    """One service over a quarter, with one median that is not reached and few failures."""
    scope = Scope(kind="service", name="checkout")
    return report(
        [
            frequency(
                QUARTER,
                131,
                scope,
                beside={"forward": 124, "rollback": 4, "redeploy": 1, "stale": 2, "rollout": 118},
                note="daily",
            ),
            *single_weeks([9, 10, 8, 12, 11, 9, 10, 8, 7, 11, 9, 10, 12, 9], LAST, scope),
            frequency(LAST, 4, scope, partial=True),
            figure(
                "change_lead_time",
                QUARTER,
                41 * MINUTE,
                Unit.SECONDS,
                scope,
                (33 * MINUTE, 1.2 * HOUR),
                n=240,
                deployments=119,
                beside={"p90": 7.7 * HOUR},
            ),
            proportion("share_within_24h", QUARTER, 239, 240, (0.9768, 0.9993), scope),
            figure(
                "failed_deployment_recovery_time",
                QUARTER,
                None,
                Unit.SECONDS,
                scope,
                (9.1 * HOUR, None),
                n=8,
                beside={"open": 5, "longest": 31 * DAY},
            ),
            proportion("change_fail_rate", QUARTER, 8, 124, (0.0331, 0.1222), scope),
            proportion("change_fail_rate_with_suspected", QUARTER, 8, 124, (0.0331, 0.1222), scope),
            proportion("deployment_rework_rate", QUARTER, 131, 131, (0.9715, 1), scope),
            *stages(QUARTER, [0.0, 0.004, 0.0, 0.984, 0.007, 0.005], 240, scope),
        ],
        scope=scope,
        window=QUARTER,
        headline=QUARTER,
        data_as_of=datetime(2026, 10, 2, 5, tzinfo=UTC),
        services=(1, 1),
        incidents=(13, 13),
        failures=[
            CHECKOUT_OPEN.model_copy(
                update={
                    "started_at": datetime(2026, 9, 1, 9, 12, tzinfo=UTC) + timedelta(days=5 * i),
                    "recovery_time": 30.9 * DAY - 5 * i * DAY,
                    "commit": f"{i}f2c9e1",
                    "incidents": (f"INC-{212 + i}",),
                }
            )
            for i in range(5)
        ],
        summary="Five failures are still open, the oldest for 31 days.",
    )


def long_names() -> Report:
    """Names, examples and counts longer than any column."""
    scope = Scope(kind="team", name="Plattform-Infrastruktur und Entwicklererlebnis (Zürich 🚀)")
    services = ("a-service-with-a-name-nobody-can-remember", "支払いサービス本番環境", "short")
    rows = [
        CHECKOUT_OPEN.model_copy(
            update={
                "service": services[i % 3],
                "commit": None if i == 1 else f"{i}badc0de",
                "deployment": "deployment-of-the-thirty-first",
                "grade": "D" if i == 2 else "B",
                "started_at": datetime(2025, 12, 9 + i, 23, 59, tzinfo=UTC),
                "recovery_time": (270 - i) * DAY,
                "incidents": ("INCIDENT-2025-000212", "INC-1", "INC-2")[: 1 + i % 3],
            }
        )
        for i in range(8)
    ]
    return report(
        [
            part
            for window, many in ((WEEK, 12_345), (FOUR, 49_380))
            for part in (
                frequency(window, many, scope, beside={"forward": many, "rollout": 3}),
                figure(
                    "change_lead_time",
                    window,
                    58.7 * MINUTE,
                    Unit.SECONDS,
                    scope,
                    (59.4 * MINUTE, 49.2 * HOUR),
                    n=many * 3,
                    deployments=many,
                ),
                proportion("share_within_24h", window, many - 1, many, (0.9991, 0.99997), scope),
                proportion("change_fail_rate", window, 1, many, (0.00001, 0.0004), scope),
            )
        ],
        organisation="The Very Long Winded Company of Names and Sons, Incorporated\x1b[31m",
        scope=scope,
        zone="America/Argentina/ComodRivadavia",
        summary=f"Eight failures are open, among them {', '.join(services)}.",
        failures=rows,
        problems=[
            Problem(
                reason=reason,
                count=n,
                examples=("github-actions-run-1234567890123",) * 4,
                remedy="vpemetrics collect --source github --since 2025-01-01 --again",
            )
            for n, reason in enumerate(
                ("unknown_commit", "other", "a_new_reason", "x", "y", "z"), 7
            )
        ],
        reliability="SLOs met 1,211/1,212, of which some were met only just (source: slo.csv)",
    )


EXAMPLES = {
    "full-week": full_week,
    "quiet-week": quiet_week,
    "no-incident-source": no_incident_source,
    "new-store": new_store,
    "empty-store": empty_store,
    "quarter-of-a-service": quarter_of_a_service,
    "long-names": long_names,
}
