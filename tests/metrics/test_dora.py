"""The five metrics, a rule of docs/metrics.md at a time, on records that went through a store."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from builders import at, commit, commits, decision, deploy, deploys, incident, pull
from measuring import BEGIN, END, WEEK, collected, measure, shipping, weeks

from vpemetrics.metrics.figures import Figure
from vpemetrics.records import AnyRecord, AuthorKind, CoverageKind, Deployment, Status
from vpemetrics.rules import LeadTimeStart, Rules, Service
from vpemetrics.window import Window, parse_month, parse_week

HOUR = 3600.0
TEAMS = Rules(services=tuple(Service(name=name, team="till") for name in ("shop", "cart", "quiet")))


def spread(*per_week: int, first_week: int = 1, apart: timedelta = timedelta()) -> list[Deployment]:
    """So many deployments in each of the weeks; on a day after another, or `apart`."""
    return [
        deploy(f"{first_week + week}.{number}", f"Mon{first_week + week} 01:00", None)
        if not number
        else replace(
            deploy(f"{first_week + week}.{number}", f"Mon{first_week + week} 01:00", None),
            finished_at=at(f"Mon{first_week + week} 01:00") + number * (apart or timedelta(days=1)),
        )
        for week, many in enumerate(per_week)
        for number in range(many)
    ]


# --- deployment frequency (rules G2, W1, D4, T3) -------------------------------------------------


def test_forward_redeploy_rollback_and_stale_count_and_roll_outs_and_attempts_do_not() -> None:
    history: list[AnyRecord] = [
        *commits("a<b<c<d<e"),
        *deploys("""
            Sun0 10:00 eu a
            Sun0 10:10 us a           # a part of the one before
            Mon 10:00 eu b            # forward
            Mon 14:00 us b            # later than an hour elsewhere: a roll-out
            Tue 10:00 eu b            # redeploy
            Wed 10:00 eu d
            Wed 10:10 eu c            # an older build overtaken by a newer one
            Thu 10:00 eu b rollback
            Fri 10:00 eu e failed
            Sat 10:00 staging e
        """),
    ]

    found = measure("deployment_frequency", history)

    assert (found.n, found.value) == (5, 5.0)
    kinds = {"forward": 2, "redeploy": 1, "rollback": 1, "stale": 1, "rollout": 1}
    assert {kind: found.beside[kind] for kind in kinds} == kinds
    assert found.beside["failed_attempts"] == 1


@pytest.mark.parametrize(
    ("finished", "counted"),
    [
        ("Mon 00:00:00", 1),  # the start is in
        ("Sun 23:59:59", 1),
        ("Mon2 00:00:00", 0),  # the end is out
        ("Sun0 23:59:59", 0),
    ],
)
def test_a_window_is_half_open(finished: str, counted: int) -> None:
    assert measure("deployment_frequency", [deploy("d", finished, None)]).n == counted


@pytest.mark.parametrize(
    ("zone", "week"),
    [
        ("Europe/Dublin", "2026-W13"),  # 167 hours
        ("Europe/Dublin", "2025-W43"),  # 169 hours
        ("America/New_York", "2026-W10"),
        ("Australia/Lord_Howe", "2025-W40"),
    ],
)
def test_a_week_over_a_change_of_clocks_is_a_week(zone: str, week: str) -> None:
    window = parse_week(week, zone)
    inside = datetime.combine(window.start, at("Mon 12:00").timetz()) + timedelta(days=3)
    history: list[AnyRecord] = [replace(deploy("d", "Mon 12:00", None), finished_at=inside)]

    found = measure("deployment_frequency", history, window, rules=Rules(zone=zone))

    assert (found.value, found.partial) == (1.0, False)


@pytest.mark.parametrize(
    ("coverage", "window", "n", "value", "partial"),
    [
        # A collected week without deployments has 0 of them ...
        (collected("Mon 00:00", "Mon9 00:00"), weeks(5), 0, 0.0, False),
        # ... one that nobody collected has none that we know of.
        (collected("Mon 00:00", "Mon3 00:00"), weeks(5), None, None, True),
        (collected("Mon 00:00", "Mon3 00:00", CoverageKind.INCIDENTS), weeks(5), None, None, True),
        # Two deployments in the first half of a running week: four a week.
        (collected("Mon 00:00", "Thu 12:00"), weeks(1), 2, 4.0, True),
        # Of four weeks, two were collected, or two apart.
        (collected("Mon 00:00", "Mon3 00:00"), weeks(1, 4), 2, 1.0, True),
        (
            collected("Mon 00:00", "Mon2 00:00") + collected("Mon4 00:00", "Mon5 00:00"),
            weeks(1, 4),
            2,
            1.0,
            True,
        ),
        # Two stretches that touch or overlap are one.
        (
            collected("Mon 00:00", "Wed 00:00") + collected("Tue 00:00", "Mon2 00:00"),
            weeks(1),
            2,
            2.0,
            False,
        ),
    ],
)
def test_the_rate_is_over_what_was_collected(
    coverage: list[AnyRecord], window: Window, n: int | None, value: float | None, partial: bool
) -> None:
    history: list[AnyRecord] = [deploy("d1", "Tue 10:00", None), deploy("d2", "Wed 10:00", None)]

    found = measure("deployment_frequency", [*history, *coverage], window)

    assert (found.n, found.value, found.partial) == (n, value, partial)


@pytest.mark.parametrize(
    "metric",
    ["change_lead_time", "share_within_24h", "change_fail_rate", "deployment_rework_rate"],
)
def test_of_a_window_nobody_collected_no_count_is_known(metric: str) -> None:
    history: list[AnyRecord] = [
        deploy("d1", "Tue 10:00", None),
        *collected("Mon 00:00", "Mon3 00:00"),
    ]

    found, quiet = measure(metric, history, weeks(5)), measure(metric, history, weeks(2))

    assert (found.value, found.n, found.k, found.note) == (None, None, None, "not collected")
    assert (quiet.value, quiet.n) == (None, 0)  # nothing happened: 0 of 0, and no ratio


def test_the_clipped_week_of_a_month_is_partial() -> None:
    month = parse_month("2026-03")  # from Sunday 1 March to Tuesday 31 March
    last = Window(start=at("Mon5 00:00").date(), end=month.end, period=WEEK.period)

    assert measure("deployment_frequency", [deploy("d", "Mon 10:00", None)], last).partial


@pytest.mark.parametrize(
    ("moments", "days"),
    [
        (("Mon 10:00", "Mon 15:00"), 1.0),
        (("Mon 10:00", "Tue 10:00"), 2.0),
        # Half past eleven in the evening in UTC is the next day in Kolkata.
        (("Mon 10:00", "Mon 23:30"), 2.0),
    ],
)
def test_days_with_a_deployment_are_days_of_the_report_s_zone(
    moments: tuple[str, ...], days: float
) -> None:
    history: list[AnyRecord] = [deploy(when, when, None) for when in moments]

    found = measure(
        "deployment_frequency",
        history,
        weeks(1, zone="Asia/Kolkata"),
        rules=Rules(zone="Asia/Kolkata"),
    )

    assert found.beside["days_with_deployment"] == days


@pytest.mark.parametrize(
    ("per_week", "often"),
    [
        ([3] * 13, "daily"),
        ([3] * 7 + [0] * 6, "daily"),  # the median week has 3 days
        ([3] * 6 + [2] * 7, "weekly"),
        ([1] * 7 + [0] * 6, "weekly"),
        # The median week has none: the months decide, here March, April and May.
        ([1, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0], "monthly"),
        ([0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0], "monthly"),  # 0, 1 and 1
        ([2, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "less than monthly"),  # 4, 0 and 0
        ([0] * 13, "less than monthly"),
    ],
)
def test_cadence_is_one_of_four_words(per_week: list[int], often: str) -> None:
    # The thirteen weeks before Monday 1 June.
    history: list[AnyRecord] = [*spread(*per_week), *collected(BEGIN, at("Mon14 00:00"))]
    old = deploy("old", "Mon-9 10:00", None)  # too old to matter

    found = measure("deployment_frequency", [old, *history], weeks(13))

    assert found.note == often


def test_several_deployments_on_one_day_do_not_make_it_daily() -> None:
    history = spread(*[6] * 13, apart=timedelta(hours=2))

    found = measure(
        "deployment_frequency", [*history, *collected(BEGIN, at("Mon14 00:00"))], weeks(13)
    )

    assert found.note == "weekly"


@pytest.mark.parametrize(
    ("start", "often"),
    [
        ("Mon2 00:00", None),  # twelve weeks were collected
        ("Mon 00:00", "weekly"),  # thirteen
        ("Mon 00:01", None),  # a minute of the first is missing
    ],
)
def test_cadence_takes_thirteen_collected_weeks(start: str, often: str | None) -> None:
    history: list[AnyRecord] = [*spread(*[1] * 13), *collected(start, "Mon14 00:00")]

    assert measure("deployment_frequency", history, weeks(13)).note == often


def test_months_nobody_collected_are_no_quiet_months() -> None:
    history: list[AnyRecord] = [
        deploy("d", "Mon 10:00", None),
        *collected("Mon 00:00", "Mon14 00:00"),
    ]

    # March began on a Sunday, a day before the first collected week.
    assert measure("deployment_frequency", history, weeks(13)).note is None


def test_frequency_of_several_services_is_also_the_median_over_those_covered() -> None:
    history: list[AnyRecord] = [
        *spread(5),
        *(replace(one, id=f"cart-{one.id}", service="cart") for one in spread(2)),
    ]

    found = measure("deployment_frequency", history, service=None, rules=TEAMS)

    assert (found.n, found.beside["median_service"]) == (7, 2.0)  # 5, 2 and 0


def test_a_service_that_was_not_collected_is_not_in_the_median() -> None:
    history: list[AnyRecord] = [
        *spread(5),
        *(replace(one, id=f"cart-{one.id}", service="cart") for one in spread(2)),
        *collected(BEGIN, END, scope="shop"),
        *collected(BEGIN, END, scope="cart"),
    ]

    found = measure("deployment_frequency", history, service=None, rules=TEAMS)

    assert found.beside["median_service"] == 3.5
    assert found.coverage is not None
    assert (found.coverage.services, found.coverage.of) == (2, 3)


# --- time between deployments (rule T4) ----------------------------------------------------------


@pytest.mark.parametrize(
    ("finished", "hours"),
    [
        (["Mon 10:00"], []),
        (["Sun0 10:00", "Mon 10:00"], [24]),  # booked to the later one
        (["Mon 10:00", "Mon 11:30", "Tue 10:00"], [1.5, 22.5]),
        (["Sat 10:00", "Mon2 10:00"], []),
    ],
)
def test_time_between_is_from_one_deployment_to_the_next(
    finished: list[str], hours: list[float]
) -> None:
    found = measure("time_between_deployments", [deploy(when, when, None) for when in finished])

    assert list(found.values) == [hour * HOUR for hour in hours]


def test_time_between_never_goes_from_one_service_to_another() -> None:
    history: list[AnyRecord] = [
        deploy("a", "Mon 10:00", None),
        deploy("b", "Mon 12:00", None, service="cart"),
        deploy("c", "Mon 20:00", None),
    ]

    assert measure("time_between_deployments", history, service=None).values == (10 * HOUR,)


# --- change lead time (rules C1 to C3, T1, N2) ---------------------------------------------------


def lead(*hours: float, together: bool = False) -> list[AnyRecord]:
    """Changes with these lead times, each with a deployment of its own on Tuesday, or in one."""
    minutes = 0 if together else 1
    return shipping(
        "\n".join(f"Tue 10:{number * minutes:02d} {took}h ann" for number, took in enumerate(hours))
    )


def apart(*hours: float) -> list[AnyRecord]:
    """Changes with these lead times, each with a deployment of its own, two hours apart."""
    days = ("Tue", "Wed", "Thu", "Fri")
    moments = [f"{day} {hour:02d}:00" for day in days for hour in range(0, 24, 2)]
    return shipping(
        "\n".join(f"{when} {took}h ann" for when, took in zip(moments, hours, strict=False))
    )


@pytest.mark.parametrize(
    ("hours", "median", "listed"),
    [
        ([], None, []),
        ([5, 3, 1, 2, 4], None, [1, 2, 3, 4, 5]),  # fewer than 6 are listed
        ([1, 2, 3, 4, 5, 6], 3.5, []),  # linear interpolation
        ([1, 2, 3, 4, 5, 60, 70], 4.0, []),
    ],
)
def test_lead_time_is_a_median_from_six_samples_on(
    hours: list[float], median: float | None, listed: list[float]
) -> None:
    found = measure("change_lead_time", apart(*hours))

    assert found.value == (None if median is None else median * HOUR)
    assert list(found.values) == [hour * HOUR for hour in listed]
    assert (found.n, found.deployments) == (len(hours), len(hours))


@pytest.mark.parametrize(
    ("count", "beside"),
    [
        (19, {"slowest": 19 * HOUR}),
        (20, {"p90": 18.1 * HOUR}),  # type 7: a tenth of the way from the 18th to the 19th
    ],
)
def test_the_ninetieth_percentile_takes_twenty_samples(
    count: int, beside: dict[str, float]
) -> None:
    found = measure("change_lead_time", apart(*range(1, count + 1)))

    shown = {key: found.beside[key] for key in ("p90", "slowest") if key in found.beside}
    assert shown == pytest.approx(beside)


def test_changes_of_one_deployment_are_one_cluster() -> None:
    alone, together = measure("change_lead_time", apart(1, 2, 3, 4, 5, 6)), None
    together = measure("change_lead_time", lead(1, 2, 3, 4, 5, 6, together=True))

    assert (alone.deployments, together.deployments) == (6, 1)
    assert alone.interval is not None
    assert (alone.interval.method, alone.interval.level) == ("woodruff", 0.95)
    assert together.value == alone.value
    assert together.interval is None  # fewer than six deployments


@pytest.mark.parametrize(
    ("took", "samples", "excluded"),
    [
        ("0m", [0.0], {}),
        ("-4m", [0.0], {}),  # clocks differ a little
        ("-5m", [0.0], {}),  # at most five minutes
        ("-6m", [], {"negative": 1}),
        ("-301s", [], {"negative": 1}),
        ("90m", [5400.0], {}),
    ],
)
def test_clock_skew_is_nothing_and_more_is_left_out(
    took: str, samples: list[float], excluded: dict[str, int]
) -> None:
    found = measure("change_lead_time", shipping(f"Tue 10:00 {took} ann"))

    assert list(found.values) == samples
    assert found.excluded == excluded


def test_changes_by_automation_are_counted_apart() -> None:
    found = measure("change_lead_time", shipping("Tue 10:00 2h ann\nTue 10:00 3h bot"))

    assert (found.n, found.excluded) == (1, {"automation": 1})


def test_changes_by_agents_count_as_those_of_people_do() -> None:
    lines = ["40h ann"] * 20 + ["150m agent"] * 16 + ["2h bot"] * 4
    history = shipping("\n".join(f"Tue 10:00 {line}" for line in lines))

    lead, within = measure("change_lead_time", history), measure("share_within_24h", history)

    assert (lead.n, lead.excluded) == (36, {"automation": 4})
    assert (within.k, within.n) == (16, 36)


def test_the_first_known_deployment_ships_nothing_counted() -> None:
    found = measure("change_lead_time", shipping("Mon 12:00 2h ann", first="Mon 10:00"), weeks(1))
    first = measure(
        "change_lead_time",
        [*commits("a"), pull(1, "Sun0 10:00", "a", "a"), deploy("d", "Mon 10:00", "a")],
    )

    assert (found.n, found.excluded) == (1, {"first_deployment": 1})  # a direct commit
    assert (first.n, first.excluded) == (0, {"first_deployment": 1})


def test_a_deployment_of_an_unknown_commit_is_counted_beside() -> None:
    history: list[AnyRecord] = [*shipping("Wed 10:00 2h ann"), deploy("d?", "Tue 10:00", None)]

    assert measure("change_lead_time", history).excluded == {"unknown_commit": 1}


def three_commits(start: LeadTimeStart, deployed: str = "Tue 12:00") -> Figure:
    """A pull request of three commits, of 8, 10 and 11 o'clock, merged at half past eleven."""
    history: list[AnyRecord] = [
        commit("base", authored_at=BEGIN),
        commit("a", ("base",), authored_at=at("Tue 08:00")),
        commit("b", ("a",), authored_at=at("Tue 10:00")),
        commit("c", ("b",), authored_at=at("Tue 11:00")),
        commit("m", ("base", "c"), authored_at=at("Tue 11:30")),
        pull(1, "Tue 11:30", "m", "a b c"),
        deploy("d0", "Sun0 12:00", "base"),
        deploy("d1", deployed, "c" if deployed < "Tue 11:30" else "m"),
    ]
    return measure("change_lead_time", history, rules=Rules(lead_time_start=start))


@pytest.mark.parametrize(
    ("start", "deployed", "hours", "excluded"),
    [
        (LeadTimeStart.FIRST_COMMIT, "Tue 12:00", [4], {}),
        (LeadTimeStart.EACH_COMMIT, "Tue 12:00", [1, 2, 4], {}),
        (LeadTimeStart.MERGE, "Tue 12:00", [0.5], {}),
        # The branch was deployed before it was merged.
        (LeadTimeStart.FIRST_COMMIT, "Tue 11:15", [3.25], {}),
        (LeadTimeStart.MERGE, "Tue 11:15", [], {"deployed_before_merge": 1}),
        # Of the three commits one is ten minutes in the future.
        (LeadTimeStart.EACH_COMMIT, "Tue 10:50", [5 / 6, 17 / 6], {"negative": 1}),
    ],
)
def test_lead_time_starts_where_the_configuration_says(
    start: LeadTimeStart, deployed: str, hours: list[float], excluded: dict[str, int]
) -> None:
    found = three_commits(start, deployed)

    assert list(found.values) == pytest.approx([hour * HOUR for hour in hours])
    assert found.excluded == excluded


def test_samples_that_start_at_the_merge_are_counted() -> None:
    history: list[AnyRecord] = [
        *commits("base<squashed"),
        pull(1, "Tue 10:00", "squashed", "gone1 gone2"),
        deploy("d0", "Sun0 12:00", "base"),
        deploy("d1", "Tue 12:00", "squashed"),
    ]

    found = measure("change_lead_time", history)

    assert (found.values, found.beside["starts_at_merge"]) == ((2 * HOUR,), 1)


def test_without_a_graph_attribution_is_by_time_and_says_so() -> None:
    history: list[AnyRecord] = [
        deploy("d0", "Sun0 12:00", "v1"),
        pull(1, "Tue 10:00", "m", first_commit_at=at("Tue 09:00")),
        deploy("d1", "Tue 12:00", "v2", took=30),
    ]

    found = measure("change_lead_time", history)

    assert (found.values, found.attribution) == ((3 * HOUR,), "time")


def test_a_change_in_three_services_counts_once_at_the_last() -> None:
    history: list[AnyRecord] = [
        commit("base", repository="mono", authored_at=BEGIN),
        commit("a", ("base",), repository="mono", authored_at=at("Tue 08:00")),
        pull(1, "Tue 08:00", "a", "a", repository="mono"),
    ]
    for service, when in (("shop", "Tue 10:00"), ("cart", "Wed 08:00"), ("quiet", "Mon2 08:00")):
        more = {"service": service, "repository": "mono"}
        history += [
            deploy(f"{service}0", "Sun0 12:00", "base", **more),
            deploy(f"{service}1", when, "a", **more),
        ]

    each = [measure("change_lead_time", history, service=name).values for name in ("shop", "cart")]
    this_week = measure("change_lead_time", history, service=None, rules=TEAMS)
    both = measure("change_lead_time", history, weeks(1, 2), service=None, rules=TEAMS)

    assert each == [(2 * HOUR,), (24 * HOUR,)]
    assert this_week.values == ()  # the last service it reaches, it reaches next week
    assert both.values == (6 * 24 * HOUR,)


def test_merged_is_shipped_and_waiting_and_left_out() -> None:
    history: list[AnyRecord] = [
        *shipping("Tue 10:00 2h ann\nTue 10:00 2h bot\nWed 10:00 1h ben"),
        commit("new", ("shop-3",), repository="shop", authored_at=at("Thu 10:00")),
        pull(8, "Thu 10:00", "new", "new"),
        commit("side", ("shop-3",), repository="shop", authored_at=at("Thu 11:00")),
        pull(9, "Thu 11:00", "side", "side", author_kind=AuthorKind.AUTOMATION),
    ]

    found = measure("change_lead_time", history).beside

    assert (found["merged"], found["merged_shipped"]) == (5, 2)
    assert (found["waiting"], found["merged_excluded"]) == (1, 2)


@pytest.mark.parametrize(
    ("took", "k"),
    [("24h", 1), ("86401s", 0), ("23h", 1), ("-4m", 1)],
)
def test_within_a_day_means_at_most_24_hours(took: str, k: int) -> None:
    found = measure("share_within_24h", shipping(f"Wed 10:00 {took} ann"))

    assert (found.k, found.n) == (k, 1)


# --- change fail rate (rules F2, N1) -------------------------------------------------------------

FORWARD = """
    Sun0 10:00 eu a
    Mon 10:00 eu b
    Tue 10:00 eu c
    Wed 10:00 eu d
    Thu 10:00 eu e
"""
GRAPH = commits("a<b<c<d<e<f<g")


def failing(*more: AnyRecord, table: str = FORWARD) -> list[AnyRecord]:
    """Four forward deployments in the week, d2 to d5, and more."""
    return [*GRAPH, *deploys(table), *more]


@pytest.mark.parametrize(
    ("incidents", "k", "with_suspected"),
    [
        ([], 0, 0),
        ([incident("I1", "Tue 11:00", "Tue 12:00", cause_deployment="d3")], 1, 1),
        (  # several on one deployment count once
            [
                incident("I1", "Tue 11:00", "Tue 12:00", cause_deployment="d3"),
                incident("I2", "Tue 13:00", "Tue 14:00", cause_deployment="d3"),
            ],
            1,
            1,
        ),
        (  # one named, one suspected of the same deployment
            [
                incident("I1", "Tue 11:00", "Tue 12:00", cause_deployment="d3"),
                incident("I2", "Tue 11:30", "Tue 12:00"),
            ],
            1,
            1,
        ),
        ([incident("I1", "Tue 14:00", "Tue 15:00")], 0, 1),  # by time, at exactly four hours
        ([incident("I1", "Tue 14:01", "Tue 15:00")], 0, 0),  # and after them
        ([incident("I1", "Tue 11:00", "Tue 12:00", external=True)], 0, 0),
        # Booked to the deployment's week, whenever the incident began.
        ([incident("I1", "Tue3 11:00", "Tue3 12:00", cause_deployment="d3")], 1, 1),
    ],
)
def test_failed_deployments_are_counted_once(
    incidents: list[AnyRecord], k: int, with_suspected: int
) -> None:
    history = failing(*incidents)

    confirmed = measure("change_fail_rate", history)
    suspected = measure("change_fail_rate_with_suspected", history)

    assert (confirmed.k, confirmed.n, confirmed.value) == (k, 4, k / 4)
    assert (suspected.k, suspected.n) == (with_suspected, 4)
    assert confirmed.interval is not None
    assert confirmed.interval.method == "wilson"


def test_every_forward_deployment_may_fail_and_no_more() -> None:
    named = [
        incident(f"I{number}{again}", "Fri 10:00", "Fri 11:00", cause_deployment=f"d{number}")
        for number in range(2, 6)
        for again in "xyz"
    ]

    found = measure("change_fail_rate", failing(*named))

    assert (found.k, found.n, found.value) == (4, 4, 1.0)


def test_a_redeploy_that_fails_is_counted_beside() -> None:
    history = failing(
        incident("I1", "Fri 10:10", "Fri 11:00", cause_deployment="d6"),
        table=FORWARD + "Fri 10:00 eu e",
    )

    found = measure("change_fail_rate", history)

    assert (found.k, found.n) == (0, 4)
    assert found.beside["failed_not_forward"] == 1


def test_without_an_incident_source_k_is_a_lower_bound() -> None:
    history = failing(
        *collected(BEGIN, END, CoverageKind.DEPLOYMENTS),
        table=FORWARD + "Fri 10:00 eu c rollback",  # blames d4, the first after its target
    )

    found = measure("change_fail_rate", history)
    recovery = measure("failed_deployment_recovery_time", history)

    assert (found.k, found.n) == (1, 4)
    assert (found.value, found.interval, found.note) == (None, None, "no incident source")
    assert recovery.note == "no incident source"
    rework = measure("deployment_rework_rate", history)
    assert (rework.k, rework.n, rework.value, rework.interval) == (1, 5, None, None)
    assert rework.note == "no incident source"


def test_a_week_without_deployments_knows_of_no_recovery_without_an_incident_source() -> None:
    covered = collected(BEGIN, END, CoverageKind.DEPLOYMENTS)

    found = measure("failed_deployment_recovery_time", [deploy("d1", "Mon-2 10:00", "a"), *covered])

    assert (found.value, found.n, found.note) == (None, 0, "no incident source")


@pytest.mark.parametrize(
    ("more", "known"),
    [
        ([], False),
        ([pull(1, "Mon 09:00", "", "")], True),  # nobody says of when this is all
        (collected(BEGIN, END, CoverageKind.PULL_REQUESTS), True),  # there was none
        (collected(BEGIN, END, CoverageKind.COMMITS), True),
    ],
)
def test_where_no_source_tells_of_changes_nothing_is_known_of_them(
    more: list[AnyRecord], known: bool
) -> None:
    history = [deploy("d1", "Mon 10:00", None), deploy("d2", "Tue 10:00", None), *more]
    history += collected(BEGIN, END)

    for metric in ("change_lead_time", "share_within_24h", "batch_size", "stage_coding"):
        found = measure(metric, history)
        assert (found.note == "no change source") is not known
        assert known or (found.value, found.interval, found.attribution) == (None, None, None)


@pytest.mark.parametrize(
    ("incidents_until", "known"),
    [("Mon2 00:00", True), ("Sun 12:00", True), ("Mon 00:00", False)],
)
def test_an_incident_source_has_to_cover_some_deployment(incidents_until: str, known: bool) -> None:
    history = failing(
        *collected(BEGIN, END, CoverageKind.DEPLOYMENTS),
        *collected(BEGIN, at(incidents_until), CoverageKind.INCIDENTS),
    )

    assert (measure("change_fail_rate", history).value is not None) is known


def test_incidents_need_not_cover_what_no_deployment_was_collected_of() -> None:
    history = failing(*collected(BEGIN, "Sat 00:00"))

    assert measure("change_fail_rate", history).value == 0.0


def test_services_without_an_incident_source_are_left_out_where_others_have_one() -> None:
    history = failing(
        deploy("x1", "Tue 10:00", None, service="cart"),
        deploy("x2", "Tue 12:00", None, service="cart"),
        incident("I1", "Tue 11:00", "Tue 12:00", cause_deployment="d3"),
        *collected(BEGIN, END, CoverageKind.DEPLOYMENTS),
        *collected(BEGIN, END, CoverageKind.INCIDENTS, scope="shop"),
    )

    found = measure("change_fail_rate", history, service=None, rules=TEAMS)

    assert (found.k, found.n, found.excluded) == (1, 4, {"no_incident_source": 2})
    rework = measure("deployment_rework_rate", history, service=None, rules=TEAMS)
    assert (rework.n, rework.excluded) == (4, {"no_incident_source": 2})


@pytest.mark.parametrize(
    ("hours", "share"),
    [
        (4, 9 / 80),  # Tuesday from 10:00 to 14:00, both ends in, of five days of 16 half-hours
        (1, 3 / 80),
    ],
)
def test_the_share_of_working_time_near_a_deployment_is_given(hours: int, share: float) -> None:
    history: list[AnyRecord] = [deploy("d1", "Tue 10:00", None)]
    rules = Rules(incident_window=timedelta(hours=hours))

    found = measure("change_fail_rate_with_suspected", history, rules=rules)

    assert found.beside["suspected_by_chance"] == pytest.approx(share)


# --- deployment rework rate (rule F4) ------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "n", "reasons"),
    [
        ([], 4, {}),
        ([deploy("r", "Fri 10:00", "c", rollback=True)], 5, {"rollback": 1}),
        ([deploy("h", "Fri 10:00", "f", hotfix=True)], 5, {"hotfix": 1}),
        ([deploy("u", "Fri 10:00", "f", planned=False)], 5, {"hotfix": 1}),
        (
            [deploy("h", "Fri 10:00", "f"), pull(1, "Fri 09:00", "f", "f", labels=("hotfix",))],
            5,
            {"hotfix": 1},
        ),
        ([deploy("h", "Fri 10:00", "f"), pull(1, "Fri 09:00", "f", "f", labels=("bug",))], 5, {}),
        (
            [
                deploy("h", "Fri 10:00", "f"),
                pull(1, "Fri 09:00", "f", "f", closes=("I1",)),
                incident("I1", "Thu 11:00", "Fri 10:00"),
            ],
            5,
            {"fix": 1},
        ),
        ([deploy("again", "Fri 10:00", "e")], 5, {}),  # a redeploy never is
        ([deploy("new", "Fri 10:00", "g"), deploy("old", "Fri 10:10", "f")], 6, {}),  # nor stale
    ],
)
def test_rework_is_what_nobody_planned(
    more: list[AnyRecord], n: int, reasons: dict[str, int]
) -> None:
    found = measure("deployment_rework_rate", failing(*more))

    assert (found.k, found.n, found.beside) == (sum(reasons.values()), n, reasons)


# --- failed deployment recovery time (rule F5) ---------------------------------------------------


def recovery(*more: AnyRecord, table: str = FORWARD, until: str = "Mon2 00:00") -> Figure:
    return measure(
        "failed_deployment_recovery_time",
        [*failing(*more, table=table), *collected(BEGIN, until)],
    )


@pytest.mark.parametrize(
    ("incidents", "hours", "open_"),
    [
        ([incident("I1", "Tue 11:00", "Tue 14:00", cause_deployment="d3")], [3], 0),
        (  # mitigated before it was resolved
            [
                incident(
                    "I1",
                    "Tue 11:00",
                    "Tue 14:00",
                    cause_deployment="d3",
                    mitigated_at=at("Tue 12:00"),
                )
            ],
            [1],
            0,
        ),
        (  # seen before the deployment, which it cannot have failed before
            [incident("I1", "Tue 09:00", "Tue 14:00", cause_deployment="d3")],
            [4],
            0,
        ),
        (  # the start of impact, not its detection
            [
                incident(
                    "I1",
                    "Tue 11:00",
                    "Tue 14:00",
                    cause_deployment="d3",
                    detected_at=at("Tue 13:00"),
                )
            ],
            [3],
            0,
        ),
        (
            [incident("I1", None, "Tue 14:00", cause_deployment="d3", detected_at=at("Tue 13:00"))],
            [1],
            0,
        ),
        (  # several are one recovery, from the first start to the last restoration
            [
                incident("I1", "Tue 11:00", "Tue 12:00", cause_deployment="d3"),
                incident("I2", "Tue 15:00", "Tue 17:00", cause_deployment="d3"),
            ],
            [6],
            0,
        ),
        (  # a suspected incident joins a confirmed failure
            [
                incident("I1", "Tue 11:00", "Tue 12:00", cause_deployment="d3"),
                incident("I2", "Tue 13:00", "Tue 17:00"),
            ],
            [6],
            0,
        ),
        ([incident("I2", "Tue 13:00", "Tue 17:00")], [], 0),  # suspected alone does not count
        ([decision("d3", "confirm", restored="Tue 15:00")], [5], 0),  # d3 was at 10:00
        (  # a person's word goes before an incident's
            [
                incident("I1", "Tue 11:00", None, cause_deployment="d3"),
                decision("d3", "confirm", restored="Tue 15:00"),
            ],
            [4],
            0,
        ),
        # Open: so far, up to the data's last moment, Sunday midnight.
        ([incident("I1", "Sun 22:00", None, cause_deployment="d3")], [2], 1),
        (
            [
                incident("I1", "Tue 11:00", "Tue 12:00", cause_deployment="d3"),
                incident("I2", "Sun 11:00", None, cause_deployment="d3"),
            ],
            [133],
            1,
        ),
    ],
)
def test_recovery_is_from_start_to_restoration(
    incidents: list[AnyRecord], hours: list[float], open_: int
) -> None:
    found = recovery(*incidents)

    assert list(found.values) == [hour * HOUR for hour in hours]
    assert found.beside["open"] == open_


def test_impact_during_a_roll_out_counts_from_the_deployment_s_start() -> None:
    history: list[AnyRecord] = [
        *GRAPH,
        deploy("d1", "Mon 10:00", "a"),
        deploy("d2", "Tue 10:00", "b", took=30),
        incident("I1", "Tue 09:00", "Tue 11:00", cause_deployment="d2"),
    ]

    assert measure("failed_deployment_recovery_time", history).values == (1.5 * HOUR,)


def test_without_an_incident_it_ends_with_the_rollback() -> None:
    found = recovery(table=FORWARD + "Fri 10:00 eu d rollback")  # undoes d5, of Thursday

    assert found.values == (24 * HOUR,)


def test_recovery_is_a_kaplan_meier_median_from_six_on() -> None:
    rows = ["Sun0 10:00 eu a"] + [
        f"Mon {hour:02d}:00 eu {sha}" for hour, sha in enumerate("bcdefg", 1)
    ]
    named = [
        incident(f"I{n}", f"Tue {n:02d}:00", f"Wed {2 * n:02d}:00", cause_deployment=f"d{n}")
        for n in range(2, 8)
    ]
    history: list[AnyRecord] = [*GRAPH, *deploys("\n".join(rows)), *named]
    half_open = [replace(one, resolved_at=None) if one.id > "I4" else one for one in named]

    whole = measure("failed_deployment_recovery_time", history)
    open_ = measure(
        "failed_deployment_recovery_time", [*GRAPH, *deploys("\n".join(rows)), *half_open]
    )

    # They last 26, 27, 28, 29, 30 and 31 hours.
    assert (whole.value, whole.n, whole.values) == (28.5 * HOUR, 6, ())
    assert whole.interval is not None
    assert (whole.interval.method, whole.interval.low) == ("order_statistics", 26 * HOUR)
    # Three of six still open: half of them last longer than the longest that is over.
    assert (open_.value, open_.n, open_.beside["open"]) == (None, 6, 3)
    assert open_.beside["longest"] > 28 * HOUR


def test_a_run_its_own_pipeline_rolled_back_is_a_failed_forward_deployment() -> None:
    history: list[AnyRecord] = [
        *GRAPH,
        deploy("d1", "Mon 10:00", "a"),
        deploy("d2", "Tue 10:00", "b", took=30, status=Status.ROLLED_BACK),
        deploy("d3", "Wed 10:00", "b"),
    ]

    rate = measure("change_fail_rate", history)
    lasted = measure("failed_deployment_recovery_time", history)

    assert (rate.k, rate.n) == (1, 3)
    assert lasted.values == (0.5 * HOUR,)


def test_an_incident_that_ends_before_it_begins_is_left_out() -> None:
    found = recovery(incident("I1", "Tue 14:00", "Tue 11:00", cause_deployment="d3"))

    assert (found.n, found.excluded) == (0, {"negative": 1})
