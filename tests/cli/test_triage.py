from datetime import UTC, datetime
from pathlib import Path

import pytest
from commandline import invoke

from vpemetrics.records import Deployment, Triage, Verdict
from vpemetrics.store import Store


def decisions(path: Path) -> list[Triage]:
    with Store.open(path) as store:
        return [record for _, record in store.records("triage") if isinstance(record, Triage)]


def test_the_list_gives_ids_to_copy_and_what_is_suspected(sample: Path) -> None:
    said = invoke("triage", "list").stdout

    suspected, _, unexplained = said.partition("\n\n")
    assert "INC-2-11          search         26 Aug 2026  began soon after search/132" in suspected
    assert "search/110        search         31 Jul 2026  example/search#82 was rev" in suspected
    assert "INC-4-4  notifications  12 May 2026  no evidence of a cause" in unexplained


def test_a_confirmed_failure_counts_and_waits_no_more(sample: Path) -> None:
    before = invoke("explain", "search/132").stdout

    result = invoke("triage", "confirm", "INC-2-11", "--why", "same stack trace", "--who", "Ada")

    assert result.exit_code == 0
    assert "kept: confirm INC-2-11, signed Ada" in result.stderr
    assert "INC-2-11" not in invoke("triage", "list").stdout
    assert invoke("explain", "search/132").stdout != before
    (kept,) = decisions(sample)
    assert (kept.record, kept.verdict, kept.who, kept.why) == (
        "INC-2-11",
        Verdict.CONFIRM,
        "Ada",
        "same stack trace",
    )


def test_a_person_says_when_a_failed_deployment_worked_again(sample: Path) -> None:
    invoke("triage", "confirm", "search/110", "--why", "so", "--restored", "2026-08-01T10:00+02:00")

    (kept,) = decisions(sample)
    assert kept.restored_at == datetime(2026, 8, 1, 8, tzinfo=UTC)
    said = invoke("explain", "search/110").stdout
    assert "confirm, restored 2026-08-01 08:00:00: so" in said
    assert "a person confirmed it, and when it was restored" in said


def test_a_time_without_a_zone_is_a_usage_error(sample: Path) -> None:
    said = invoke("triage", "confirm", "search/110", "--why", "so", "--restored", "2026-08-01")

    assert said.exit_code == 2
    assert "write 2026-08-01T00:00:00Z if it is UTC" in " ".join(said.stderr.split())
    assert decisions(sample) == []


@pytest.mark.parametrize("record", ["INC-2-11", "search/110"])
def test_what_is_rejected_waits_no_more(sample: Path, record: str) -> None:
    invoke("triage", "reject", record, "--why", "the provider was down")

    assert f"{record} " not in invoke("triage", "list").stdout


def test_an_incident_is_linked_to_its_cause_by_an_abbreviated_sha(sample: Path) -> None:
    with Store.open(sample) as store:
        (sha,) = (
            str(one.commit_sha)
            for _, one in store.records("deployments")
            if isinstance(one, Deployment) and one.id == "search/132"
        )

    result = invoke("triage", "link", "INC-2-6", sha[:7], "--why", "found by bisecting")

    assert "warning" not in result.stderr
    assert "INC-2-6 " not in invoke("triage", "list").stdout
    assert decisions(sample)[0].cause == sha  # the whole one is kept


def test_a_link_that_changes_nothing_is_warned_of(sample: Path) -> None:
    never_shipped = "1" * 40
    Path("commits.csv").write_text(f"sha,repository\n{never_shipped},example/checkout\n")
    invoke("import", "commits.csv")

    result = invoke("triage", "link", "INC-4-4", never_shipped, "--why", "perhaps")

    assert result.exit_code == 0
    assert f"warning: {never_shipped} did not reach production" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("confirm", "INC-2-1111"), "did you mean INC-2-11"),
        (("confirm", "INC-4-4"), "no deployment is suspected of INC-4-4"),
        (("reject", "checkout/1"), "checkout/1 did not reach production"),
        (("confirm", "INC-2-11", "--restored", "2026-08-27T10:00Z"), "is an incident, whose own"),
        (
            ("confirm", "search/110", "--restored", "2026-07-01T10:00Z"),
            "search/110 was deployed on",
        ),
        (("confirm", "search/110", "--restored", "2062-07-01T10:00Z"), "is yet to come"),
        (("link", "search/110", "search/132"), "only an incident is linked to its cause"),
        (("link", "INC-2-6", "nonsense"), "nothing is known under 'nonsense'"),
    ],
)
def test_a_decision_about_nothing_is_refused_and_not_kept(
    sample: Path, arguments: tuple[str, ...], said: str
) -> None:
    result = invoke("triage", *arguments, "--why", "so")

    assert result.exit_code == 1
    assert said in result.stderr
    assert decisions(sample) == []


@pytest.mark.parametrize("reason", [(), ("--why", " ")])
def test_a_decision_without_a_reason_is_a_usage_error(
    sample: Path, reason: tuple[str, ...]
) -> None:
    result = invoke("triage", "confirm", "INC-2-11", *reason)

    assert result.exit_code == 2
    assert decisions(sample) == []


def test_who_decides_is_the_login_name_unless_said(
    sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "grace")

    invoke("triage", "reject", "INC-2-11", "--why", "so")

    assert decisions(sample)[0].who == "grace"


def test_when_nothing_waits_the_list_says_so(folder: Path) -> None:
    Path("deployments.csv").write_text(
        "id,environment,status,service,finished_at\n1,prod,succeeded,a,2026-09-03T00:00:00Z\n"
    )
    invoke("import", ".", "--store", "x.db")

    assert invoke("triage", "list", "--store", "x.db").stdout == "Nothing waits for a decision.\n"
