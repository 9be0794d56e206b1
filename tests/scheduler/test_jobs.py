"""What becomes of reports that cannot be written as planned; the jobs run as they always do."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hearing import Heard
from loopback import Hourglass, Say, loopback
from subprocesses import PATIENCE

from vpemetrics.config.load import load
from vpemetrics.config.weekly import DAYS
from vpemetrics.scheduler.jobs import Schedule
from vpemetrics.scheduler.plan import Plan, agenda
from vpemetrics.store import Store
from vpemetrics.store.report_marks import reported_week
from vpemetrics.usecases.update_lineage import is_current

TODAY = datetime.now(UTC).date()
SETTINGS = f"""
[schedule]
collect = "1s"
report = "{DAYS[TODAY.weekday()]} 00:00"
output = "out/{{week}}.txt"
[sources.files]
type = "files"
path = "records"
"""
LIMITED = {"Retry-After": "600"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "vpemetrics.toml").write_text(SETTINGS)
    (tmp_path / "records").mkdir()
    return tmp_path


def deployed(folder: Path, *days_ago: int) -> None:
    """Deployments at noon so many days ago, tomorrow for -1."""
    rows = (
        f"{ago},shop,prod,succeeded,{TODAY - timedelta(days=ago)}T12:00:00Z\n" for ago in days_ago
    )
    header = "id,service,environment,status,finished_at\n"
    (folder / "records" / "deployments.csv").write_text(header + "".join(rows))


def reported(folder: Path) -> str:
    with Store.open(folder / "x.db") as store, store.view() as connection:
        return reported_week(connection)


@contextmanager
def running(folder: Path) -> Iterator[Heard]:
    configuration = folder / "vpemetrics.toml"
    plan = Plan.of(load(configuration, {}), str(folder / "x.db"))
    Store.open(plan.location).close()
    heard = Heard()
    schedule = Schedule(plan, heard, configuration, lambda: datetime.now(UTC))
    schedule.start(agenda(plan, {}, "", datetime.now(UTC)))
    try:
        yield heard
    finally:
        assert schedule.stop(timedelta(seconds=PATIENCE)) == ()


@pytest.mark.slow
def test_a_report_waits_for_data_of_its_whole_week(folder: Path) -> None:
    deployed(folder, 40, 20)

    with running(folder) as heard:
        week, until = heard.hears("log_lack")
        assert until < datetime.now(UTC) - timedelta(days=19)
        assert reported(folder) == ""

        deployed(folder, 40, 20, 0)
        heard.hears("log_report")

    assert reported(folder) == week.label
    assert (folder / "out" / f"{week.label}.txt").exists()


@pytest.mark.slow
def test_lineage_is_up_to_date_though_no_report_was_due(folder: Path) -> None:
    rules = load(folder / "vpemetrics.toml", {}).rules()
    deployed(folder, 0)

    with running(folder) as heard:
        heard.hears("log_pass_over")
        deployed(folder, 0, 1)
        heard.hears("log_collection", 1 + heard.count("log_collection"))
        heard.hears("log_collection", 1 + heard.count("log_collection"))

    with Store.open(folder / "x.db") as store:
        assert len(list(store.records("deployments"))) == 2
        assert is_current(store, rules)


@pytest.mark.slow
def test_what_was_kept_for_long_enough_is_forgotten(folder: Path) -> None:
    with (folder / "vpemetrics.toml").open("a") as file:
        file.write('[retention]\nkeep = "4w"\n')
    deployed(folder, 40, 0)

    with running(folder) as heard:
        (gone,) = heard.hears("log_retention")
        heard.hears("log_collection", 2)

    assert gone == {"deployments": 1}
    assert [name for name, _ in heard.told].count("log_retention") == 1
    with Store.open(folder / "x.db") as store:
        assert [one.key for _, one in store.records("deployments")] == ["0"]
        assert not store.wants_compaction()


@pytest.mark.slow
def test_a_week_before_everything_that_was_collected_is_passed_over(folder: Path) -> None:
    deployed(folder, 0)

    with running(folder) as heard:
        (week,) = heard.hears("log_pass_over")
        heard.hears("log_collection", 2)

    assert reported(folder) == week.label
    assert heard.count("log_pass_over") == 1
    assert not (folder / "out").exists()


@pytest.mark.slow
def test_a_report_that_cannot_be_written_is_tried_again(folder: Path) -> None:
    deployed(folder, 40, 0)
    (folder / "out").write_text("no folder")

    with running(folder) as heard:
        job, error = heard.hears("log_failure")
        (folder / "out").unlink()
        heard.hears("log_report")

    assert job == "report"
    assert isinstance(error, FileExistsError)
    assert heard.count("log_report") == 1


def test_a_source_that_waits_for_a_limit_keeps_no_schedule_from_ending(folder: Path) -> None:
    (folder / "token").write_text("ghp_abc")
    with loopback(Hourglass()) as github:
        github.say(Say(status=403, json={"message": "API rate limit exceeded"}, headers=LIMITED))
        (folder / "vpemetrics.toml").write_text(
            f'[sources.github]\ntype = "github"\nurl = "{github.url}"\n'
            'token = "file:token"\nrepositories = ["acme/shop"]\n'
        )
        with running(folder) as heard:
            deadline = time.monotonic() + PATIENCE
            while not github.asked:
                assert time.monotonic() < deadline
                time.sleep(0.01)

    heard.hears("log_stop")
    with Store.open(folder / "x.db") as store:
        assert store.collections() == {}
