"""PagerDuty: what its payloads say, and what is collected whatever goes wrong on the way."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from loopback import NOON, Hourglass, Loopback, loopback
from pagerduty_server import PagerDuty
from restsources import BROKEN, CUT, SECRET, WAIT, Faults, Query, Saved

from vpemetrics.collectors.base import DiscoveryContext, Level
from vpemetrics.collectors.discovery import Setting
from vpemetrics.collectors.pagerduty import Options, check, collect, discover, parse_incident
from vpemetrics.errors import FixConfiguration
from vpemetrics.records import Incident, Triage, Verdict
from vpemetrics.window import parse_instant

PAYLOADS = Path(__file__).parents[3] / "shared" / "payloads" / "pagerduty-opsgenie"
is_lacking = pytest.mark.skipif(
    not PAYLOADS.is_dir(), reason="no ../shared/payloads beside the repository"
)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BEGIN = NOON - 300 * DAY


@is_lacking
@pytest.mark.needs_recorded_payloads
def test_recorded_incidents_are_acknowledged_and_over_when_the_log_says() -> None:
    lines = (PAYLOADS / "pagerduty.jsonl").read_text(encoding="utf-8").splitlines()
    nodes = {p["incident_number"]: p for p in (json.loads(line)["payload"] for line in lines)}
    figures = json.loads((PAYLOADS / "expected.json").read_text(encoding="utf-8"))["figures"]
    wanted = {
        (one["metric"], one["incident"]): one["dora_value"]
        for one in figures
        if one["case_id"] == "pagerduty"
    }
    incidents = {
        number: parse_incident(node, node["log_entries"]) for number, node in nodes.items()
    }

    for number, incident in incidents.items():
        over = wanted["resolved_at", number]
        assert incident.resolved_at == (over and parse_instant(over))
        minutes = wanted["time_to_restore", number]
        assert minutes is None or minutes == pytest.approx(length(incident) / 60, abs=1e-3)
    # The first of three: each of them ran out, and it was triggered again.
    assert incidents[4].acknowledged_at == parse_instant("2022-11-03T06:23:07Z")
    assert incidents[5].acknowledged_at == parse_instant("2022-11-03T06:44:37Z")
    assert incidents[6].acknowledged_at == parse_instant("2022-11-03T06:45:46Z")


def length(incident: Incident) -> float:
    assert incident.resolved_at
    assert incident.detected_at
    return (incident.resolved_at - incident.detected_at).total_seconds()


@pytest.mark.parametrize(
    ("priority", "severity"),
    [
        ({"summary": "P1"}, 1),
        ({"summary": "SEV-2"}, 2),
        ({"summary": "Urgent"}, None),
        (None, None),
    ],
)
def test_the_priority_tells_the_severity(
    priority: dict[str, str] | None, severity: int | None
) -> None:
    node = {
        "id": "1",
        "status": "triggered",
        "created_at": "2026-09-01T12:00:00Z",
        "last_status_change_at": "2026-09-01T12:00:00Z",
        "service": {"summary": "Shop"},
        "priority": priority,
    }

    assert parse_incident(node, []).severity == severity


@pytest.fixture
def server() -> Iterator[Loopback]:
    with loopback(Hourglass()) as running:
        yield running


@pytest.fixture
def pagerduty(server: Loopback) -> PagerDuty:
    """Twelve incidents in ten months, of which the last two are open."""
    pagerduty = PagerDuty(server)
    for number in range(12):
        id_, at = f"I{number:02}", BEGIN + number * 25 * DAY
        pagerduty.incident(id_, at, service="S2" if number % 3 == 2 else "S1")
        if number < 11:
            pagerduty.note(id_, "acknowledge", at + HOUR, "acknowledged")
            pagerduty.note(id_, "unacknowledge", at + 2 * HOUR, "triggered")
            pagerduty.note(id_, "acknowledge", at + 3 * HOUR, "acknowledged")
        if number < 10:
            pagerduty.note(id_, "resolve", at + 5 * HOUR, "resolved")
    return pagerduty


@pytest.fixture
def options(server: Loopback) -> Options:
    return Options(token="env:T", url=server.url)


def test_incidents_are_collected_with_the_times_of_their_logs(
    pagerduty: PagerDuty, options: Options
) -> None:
    saved = Saved()

    assert saved.collect(collect, options, NOON)
    incidents = saved.of(Incident)
    assert [incident.id for incident in incidents] == sorted(pagerduty.incidents)
    assert incidents[2] == Incident(
        id="I02",
        service=("Till",),
        title="Alarm I02",
        detected_at=BEGIN + 50 * DAY,
        acknowledged_at=BEGIN + 50 * DAY + HOUR,
        resolved_at=BEGIN + 50 * DAY + 5 * HOUR,
        updated_at=BEGIN + 50 * DAY + 5 * HOUR,
        url="https://acme.pagerduty.example/incidents/I02",
    )
    assert [one.id for one in incidents if one.resolved_at is None] == ["I10", "I11"]
    assert max(one.end for one in saved.coverage) == NOON


def test_services_may_be_chosen(pagerduty: PagerDuty, options: Options) -> None:
    saved = Saved()
    saved.collect(collect, replace(options, services=("S2",)), NOON)

    assert {incident.service for incident in saved.of(Incident)} == {("Till",)}


def test_more_than_offsets_reach_is_read_to_the_end(
    pagerduty: PagerDuty, server: Loopback, options: Options
) -> None:
    saved = Saved()
    saved.collect(collect, options, NOON)
    lists = [query for query in map(asked_for(server), server.asked) if query.path == "incidents"]

    assert len(lists) > 6
    assert max(int(query["offset"]) for query in lists) <= 2  # it begins anew at each moment


def asked_for(server: Loopback) -> Any:
    return lambda asked: Query.of(asked, server)


@pytest.mark.slow  # it waits as a limit says
@pytest.mark.parametrize("number", [0, 5, 10, 15])
def test_faults_change_nothing(
    pagerduty: PagerDuty, server: Loopback, options: Options, number: int
) -> None:
    without, with_faults = Saved(), Saved()
    without.collect(collect, options, NOON)
    faults = {number: BROKEN, number + 1: CUT, number + 3: WAIT}
    server.answer = Faults(pagerduty.answer, faults)

    assert with_faults.collect(collect, options, NOON)
    assert with_faults.records == without.records


@pytest.mark.slow
def test_wherever_it_is_stopped_the_next_collection_goes_on(
    pagerduty: PagerDuty, options: Options
) -> None:
    whole = Saved()
    whole.collect(collect, options, NOON)
    stopped = 0
    for at_most in range(40):
        saved = Saved()
        if saved.collect(collect, options, NOON, at_most=at_most):
            break
        stopped += 1
        assert saved.collect(collect, options, NOON + timedelta(minutes=5))

        assert saved.records == whole.records
    assert stopped > 5


def test_what_was_open_is_asked_for_again(pagerduty: PagerDuty, options: Options) -> None:
    incremental, fresh = Saved(), Saved()
    incremental.collect(collect, options, NOON)
    pagerduty.note("I10", "resolve", NOON + HOUR, "resolved")
    pagerduty.incident("I12", NOON + 2 * HOUR)
    incremental.collect(collect, options, NOON + DAY)
    fresh.collect(collect, options, NOON + DAY)

    assert incremental.records == fresh.records
    assert incremental.of(Incident)[10].resolved_at == NOON + HOUR


def test_an_incident_merged_into_another_is_none_of_its_own(
    pagerduty: PagerDuty, options: Options
) -> None:
    into = {"type": "merge_resolve_reason", "incident": {"summary": "[#11] Alarm I10"}}
    pagerduty.incidents["I11"]["resolve_reason"] = into
    pagerduty.note("I11", "resolve", NOON - HOUR, "resolved")
    saved = Saved()
    saved.collect(collect, options, NOON)

    (triage,) = saved.of(Triage)
    assert (triage.record, triage.verdict, triage.when) == ("I11", Verdict.REJECT, NOON - HOUR)
    assert triage.why == "merged into [#11] Alarm I10"


def test_a_status_that_nobody_knows_is_left_out_and_told(
    pagerduty: PagerDuty, options: Options
) -> None:
    pagerduty.incidents["I03"]["status"] = "snoozed"
    saved = Saved()
    saved.collect(collect, options, NOON)

    assert saved.warned == ["*, incidents: left out 1, as nothing is known of status 'snoozed'"]
    assert len(saved.of(Incident)) == 11


def test_a_key_that_is_refused_is_told_and_not_shown(
    pagerduty: PagerDuty, server: Loopback, options: Options
) -> None:
    answer = server.answer
    server.answer = lambda asked: replace(
        answer(asked), status=401, json={"error": {"message": SECRET}}
    )

    with pytest.raises(Exception, match="does not accept the token or key") as caught:
        Saved().collect(collect, options, NOON)
    assert SECRET not in str(caught.value)


def test_a_check_tells_the_services_and_how_many_incidents_they_had(
    pagerduty: PagerDuty, options: Options
) -> None:
    chosen = replace(options, services=("S1", "S9"))
    findings = list(check(chosen, Saved().context(NOON)))

    assert [(one.text, one.level) for one in findings] == [
        ("2: Shop, Till", Level.OK),
        ("there is no service with the id S9", Level.ERROR),
        ("2 in 90 days", Level.OK),
    ]


@pytest.mark.parametrize("there", ["env:PAGERDUTY_TOKEN", "env:PAGERDUTY_API_KEY", None])
def test_a_key_in_the_environment_is_discovered(there: str | None, tmp_path: Path) -> None:
    def secret(reference: str) -> str:
        if reference != there:
            raise FixConfiguration("not here")
        return SECRET

    found = list(discover(DiscoveryContext(now=NOON, home=tmp_path, secret=secret)))

    assert [proposal.lines for proposal in found] == (
        [(Setting(key="token", value=there),)] if there else []
    )
    assert SECRET not in repr(found)
