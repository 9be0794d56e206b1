"""`vpemetrics forget`: counts first, a question, and then nothing of it is left anywhere."""

import json
import os
import pty
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from commandline import command_of, invoke
from killing import kill_before, run_unharmed, steps_of
from subprocesses import PATIENCE, environment
from tiers import scored

from vpemetrics.records import Change, Commit, Coverage, CoverageKind, Deployment, Status
from vpemetrics.store import Store

NOON = datetime(2026, 9, 7, 12, tzinfo=UTC)
NAME = "Ludmilla-Quetzalcoatl"
"""A person whose name stands in titles, and nowhere else."""


def fill(location: str | Path, changes: int = 40) -> None:
    """A store of two sources, of which one has a person's name in every title."""
    with Store.open(location) as store:
        for source, repository, title in (("hub", "acme/shop", NAME), ("lab", "acme/till", "x")):
            records = [
                record
                for number in range(changes)
                for record in _change(repository, title, number, NOON - timedelta(hours=9 * number))
            ]
            span = Coverage(
                source=source,
                scope="*",
                kind=CoverageKind.DEPLOYMENTS,
                start=NOON - timedelta(weeks=60),
                end=NOON,
            )
            store.save(source, [*records, span], cursors={"*": "here"})


def _change(
    repository: str, title: str, number: int, at: datetime
) -> list[Change | Commit | Deployment]:
    sha = f"{ord(repository[-1]):020x}{number:020x}"
    service = repository.partition("/")[2]
    return [
        Commit(sha=sha, repository=repository, committed_at=at, author=title),
        Change(
            id=f"{repository}#{number}",
            repository=repository,
            title=f"{title} {number} " + "y" * 200,
            merged_at=at,
            merge_commit_sha=sha,
            commit_shas=(sha,),
        ),
        Deployment(
            id=f"{repository}/{number}",
            service=service,
            repository=repository,
            environment="production",
            status=Status.SUCCEEDED,
            commit_sha=sha,
            finished_at=at + timedelta(hours=1),
        ),
    ]


@pytest.fixture
def path(folder: Path) -> Path:
    path = folder / "vpemetrics.db"
    (folder / "vpemetrics.toml").write_text("")
    fill(path)
    return path


def bytes_of(path: Path) -> bytes:
    """Everything on the disk that belongs to a store."""
    return b"".join(file.read_bytes() for file in sorted(path.parent.glob(f"{path.name}*")))


def unused_pages(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA freelist_count").fetchone()[0])


def counts(location: str | Path) -> dict[str, int]:
    with Store.open(location) as store:
        return store.counts()


def test_counts_are_shown_and_nothing_is_forgotten_off_a_terminal(path: Path) -> None:
    before = counts(path)

    run = invoke("forget", "hub")

    assert run.exit_code == 1
    assert "commits        40  2026-08-23  2026-09-07" in run.stdout
    assert "vpemetrics forget hub --yes" in run.stderr
    assert counts(path) == before


def test_what_is_forgotten_is_in_no_byte_of_the_store(path: Path) -> None:
    invoke("report", "-q")
    assert NAME.encode() in bytes_of(path)

    run = invoke("forget", "hub", "--yes")

    assert run.exit_code == 0, run.stderr
    assert "forgotten: commits 40, pull requests 40, deployments 40" in run.stderr
    left = bytes_of(path)
    assert unused_pages(path) == 0  # where SQLite overwrites nothing by itself, names are there
    assert NAME.encode() not in left
    assert b"acme/shop" not in left
    assert b"acme/till" in left
    assert invoke("report", "-q").exit_code == 0


@pytest.mark.parametrize("arguments", [("--dry-run",), ("--json",), ("--json", "--dry-run")])
def test_counting_forgets_nothing(path: Path, arguments: tuple[str, ...]) -> None:
    before = counts(path)

    assert invoke("forget", "hub", *arguments).exit_code == 0

    assert counts(path) == before


def test_the_counts_are_there_for_programs(path: Path) -> None:
    counted = json.loads(invoke("forget", "hub", "--json", "-q").stdout)
    done = json.loads(invoke("forget", "hub", "--json", "--yes", "-q").stdout)

    assert counted["format"] == "vpemetrics-forget/1"
    assert counted["records"][0] == {
        "kind": "commits",
        "count": 40,
        "from": "2026-08-23T21:00:00Z",
        "to": "2026-09-07T12:00:00Z",
    }
    assert (counted["forgotten"], done["forgotten"]) == (False, True)
    assert counted["records"] == done["records"]


def answer(path: Path, said: str) -> int:
    """The exit code of `forget hub` on a terminal where a person answers."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command_of("forget", "hub", "--store", path),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment(),
    )
    os.close(theirs)
    seen = b""
    while b"for good?" not in seen:
        seen += os.read(ours, 65536)
    os.write(ours, said.encode())
    try:
        while os.read(ours, 65536):
            pass
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    return process.wait(timeout=PATIENCE)


@pytest.mark.parametrize(
    ("said", "code", "left"),
    [("y\n", 0, 40), *(pytest.param(no, 1, 80, marks=pytest.mark.slow) for no in ("n\n", "\n"))],
)
def test_a_person_is_asked_on_a_terminal(path: Path, said: str, code: int, left: int) -> None:
    assert answer(path, said) == code

    assert counts(path)["commits"] == left


@pytest.mark.slow
def test_a_forgotten_week_is_not_collected_instead_of_zero(path: Path) -> None:
    run = invoke("forget", "--before", "2026-08-31", "--yes", "-q")
    assert run.exit_code == 0

    week = invoke("report", "-q", "--week", "2026-W34")
    later = invoke("report", "-q", "--week", "2026-W36", "--json")

    assert "0/2 services" in week.stdout
    assert "No data was collected for 2026-W34." in week.stdout
    figure = next(
        one for one in json.loads(later.stdout)["figures"]
        if one["metric"] == "deployment_frequency" and one["scope"]["kind"] != "service"
    )  # fmt: skip
    assert figure["value"]


def test_forgetting_again_says_that_it_was_done(path: Path) -> None:
    invoke("forget", "acme/shop", "--yes", "-q")

    again = invoke("forget", "acme/shop", "--yes")

    assert again.exit_code == 0
    assert "Nothing of acme/shop is left; it was forgotten on" in again.stdout


def test_an_unknown_name_is_an_error_with_the_nearest(path: Path) -> None:
    run = invoke("forget", "acme/shp")

    assert run.exit_code == 1
    assert "did you mean acme/shop" in run.stderr


@pytest.mark.parametrize("arguments", [(), ("hub", "--before", "2026-01-01")])
def test_one_thing_at_a_time_is_forgotten(path: Path, arguments: tuple[str, ...]) -> None:
    run = invoke("forget", *arguments)

    assert run.exit_code == 2
    assert "--before" in run.stderr


def test_a_source_that_is_still_configured_is_warned_of(path: Path) -> None:
    Path("records").mkdir()
    Path("vpemetrics.toml").write_text('[sources.hub]\ntype = "files"\npath = "records"\n')

    run = invoke("forget", "hub", "--yes")
    status = invoke("status")
    told = json.loads(invoke("status", "--json", "-q").stdout)["sources"]

    assert "hub is still configured: the next collection asks for everything" in run.stderr
    assert "forgotten" in status.stdout
    assert "not collected since" in status.stdout
    assert [one["name"] for one in told if one["forgotten_at"]] == ["hub"]


def test_a_clones_own_store_is_not_forgotten_in(folder: Path) -> None:
    subprocess.run(["git", "init", "-q"], check=True)

    run = invoke("forget", "git", "--yes")

    assert run.exit_code == 1
    assert "rm -r " in run.stderr


def test_mirrors_of_a_source_go_with_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from vpemetrics.records import Repository

    with Store.open(path) as store:
        store.save("hub", [Repository(id="R_1", name="acme/shop")])
    monkeypatch.setenv("XDG_CACHE_HOME", str(path.parent / "cache"))
    mirrors = path.parent / "cache" / "vpemetrics" / "mirrors" / "github.com"
    for name in ("R_1-tree-0.git", "R_1-blob-none.git", "R_1-tree-0.4711", "R_1-x-tree-0.git"):
        (mirrors / name / "objects").mkdir(parents=True)

    counted = invoke("forget", "hub", "--dry-run")
    run = invoke("forget", "hub", "--yes")

    assert "mirrors        3" in counted.stdout
    assert run.exit_code == 0
    assert [left.name for left in mirrors.iterdir()] == ["R_1-x-tree-0.git"]


@pytest.mark.slow
def test_who_forgot_what_is_in_the_audit_log_and_in_exports(path: Path) -> None:
    invoke("forget", "hub", "--yes", "-q")

    shown = invoke("status", "--audit", "-q").stdout
    listed = json.loads(invoke("status", "--audit", "--json", "-q").stdout)
    invoke("export", "out", "-q")
    invoke("import", "out", "--store", "copy.db", "-q")
    copied = json.loads(invoke("status", "--audit", "--json", "--store", "copy.db", "-q").stdout)

    assert "forget source hub by" in shown
    assert "commits 40" in shown
    assert listed["format"] == "vpemetrics-audit/1"
    assert [entry["action"] for entry in listed["entries"]] == ["forget"]
    assert copied == listed


def test_the_log_shows_the_newest_twenty_to_people_and_all_to_programs(path: Path) -> None:
    from vpemetrics.records import AuditEntry
    from vpemetrics.store import audit

    with Store.open(path) as store, store.transaction() as connection:
        for day in range(25):
            when = NOON + timedelta(days=day)
            audit.record(connection, AuditEntry(when=when, action="trust", subject="a\x1b[2Jb"))

    shown = invoke("status", "--audit", "-q").stdout
    listed = json.loads(invoke("status", "--audit", "--json", "-q").stdout)

    assert shown.startswith("2026-10-01 12:00  trust")
    assert "\x1b" not in shown
    assert "… and 5 earlier ones" in shown
    assert len(listed["entries"]) == 25


def test_retention_forgets_at_the_next_collection(path: Path) -> None:
    Path("records").mkdir()
    config = '[sources.new]\ntype = "files"\npath = "records"\n[retention]\nkeep = "4w"\n'
    Path("vpemetrics.toml").write_text(config)
    Path("records/deployments.csv").write_text("id,environment,status\n")

    first = invoke("collect")
    again = invoke("collect")

    assert first.exit_code == 0, first.stderr
    assert "kept for long enough, and forgotten: commits 80" in first.stderr
    assert "kept for long enough" not in again.stderr
    assert NAME.encode() not in bytes_of(path)
    assert "retention before" in invoke("status", "--audit", "-q").stdout


def test_a_collection_ends_what_a_forget_left_undone(path: Path) -> None:
    from vpemetrics.usecases.forgetting import forget, plan_for_name

    with Store.open(path) as store:
        forget(store, plan_for_name(store, "hub", {}), now=NOON)  # and here it is killed
        assert store.wants_compaction()
    Path("records").mkdir()
    Path("vpemetrics.toml").write_text('[sources.new]\ntype = "files"\npath = "records"\n')
    Path("records/deployments.csv").write_text("id,environment,status\n")

    assert invoke("collect", "-q").exit_code == 0

    assert unused_pages(path) == 0
    with Store.open(path) as store:
        assert not store.wants_compaction()


def test_a_reader_keeps_bytes_there_and_the_next_forget_removes_them(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vpemetrics.store.compaction._PATIENCE_MS", 50)
    with Store.open(path) as reader, reader.view() as view:
        view.exec_driver_sql("SELECT sum(count) FROM commit_chunks").scalar()

        run = invoke("forget", "hub", "--yes")

        assert run.exit_code == 1
        assert "bytes are still in the file" in run.stderr
        assert view.exec_driver_sql("SELECT sum(count) FROM commit_chunks").scalar() == 80
    assert counts(path)["commits"] == 40

    again = invoke("forget", "hub", "--yes")

    assert again.exit_code == 0
    assert NAME.encode() not in bytes_of(path)


# --- kills --------------------------------------------------------------------------------------


FORGET_HUB = ("forget", "hub", "--store", "env:STORE", "--yes")


@pytest.mark.slow
@scored("kills", 3, soak=20)
def test_a_killed_forget_is_nothing_or_whole_and_the_next_ends_it(
    new_location: Callable[[], str], folder: Path, monkeypatch: pytest.MonkeyPatch, kills: int
) -> None:
    undisturbed = new_location()
    fill(undisturbed, changes=400)
    monkeypatch.setenv("STORE", undisturbed)
    code, total = run_unharmed(*FORGET_HUB)
    assert code == 0
    expected, left, killed = held(undisturbed), set(), 0

    for step in steps_of(total, kills, seed=7):
        location = new_location()
        fill(location, changes=400)
        monkeypatch.setenv("STORE", location)
        killed += kill_before(step, *FORGET_HUB)
        left.add(counts(location)["commits"])
        assert run_unharmed(*FORGET_HUB)[0] == 0
        assert held(location) == expected
        if "://" not in location:
            assert NAME.encode() not in bytes_of(Path(location))

    assert killed == kills
    assert left <= {800, 400}


def held(location: str) -> object:
    with Store.open(location) as store:
        assert not store.wants_compaction()
        return store.counts(), store.sources(), store.cursors("hub"), store.coverage()
