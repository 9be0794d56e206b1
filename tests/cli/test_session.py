import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest
from commandline import command_of, invoke, spawn
from subprocesses import PATIENCE, environment

from vpemetrics.cli.session import Session, program_name
from vpemetrics.store import Store


@pytest.mark.slow
def test_what_is_said_goes_to_stderr_and_data_to_stdout(sample: Path) -> None:
    run = spawn("report")

    assert run.returncode == 0
    assert run.stdout.startswith("Example engineering · 2026-W36")
    store, age = run.stderr.splitlines()
    assert store == f"store: {sample} (beside {sample.parent / 'vpemetrics.toml'})"
    assert age.startswith("the newest data is ")


@pytest.mark.slow
def test_quiet_is_silent_beside_the_data(sample: Path) -> None:
    assert spawn("report", "--quiet").stderr == ""


def test_verbose_names_the_configuration_and_times_the_steps(untraced: Path) -> None:
    said = invoke("report", "-v").stderr

    assert f"configuration: {untraced.parent / 'vpemetrics.toml'}\n" in said
    assert "Tracing services: " in said


@pytest.mark.parametrize(
    "arguments",
    [
        ("--store", "mine.db", "-q", "status"),  # before the command's name
        ("status", "--store", "mine.db", "-q"),  # behind it
        ("--store", "other.db", "-q", "status", "--store", "mine.db"),  # behind wins
    ],
)
def test_shared_options_may_stand_on_either_side(store: Path, arguments: tuple[str, ...]) -> None:
    store.rename(store.with_name("mine.db"))

    result = invoke(*arguments)

    assert result.exit_code == 0
    assert result.stderr == ""
    assert "mine.db" in result.stdout


@pytest.mark.parametrize("command", ["report", "status", "recompute", "export out", "triage list"])
def test_a_first_run_says_what_to_do_next(folder: Path, command: str) -> None:
    result = invoke("-q", *command.split())

    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == (
        "error: there is no data yet in this store\n"
        "       Bring some in with `vpemetrics import FOLDER`, begin with `vpemetrics init`, "
        "or go to a git clone; docs/quickstart.md tells how\n"
    )
    assert list(folder.parent.rglob("*.db")) == []  # nothing was made by asking


def test_a_store_that_nothing_was_saved_in_counts_as_none(folder: Path) -> None:
    Store.open(folder / "empty.db").close()

    result = invoke("report", "--store", "empty.db")

    assert result.exit_code == 1
    assert "there is no data yet" in result.stderr


def test_a_clone_without_commits_has_nothing_to_import(folder: Path) -> None:
    subprocess.run(["git", "init", "-q"], check=True)

    result = invoke("report", "-q")

    assert result.exit_code == 1
    assert result.stderr == (
        f"warning: git: {folder} has no commits yet\n"
        "error: there is nothing in this clone to report on yet\n"
    )


@pytest.fixture
def program(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program in an environment that nobody activated, called as the README does."""
    path = folder / "my env" / "vpemetrics"
    path.parent.mkdir()
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    monkeypatch.setattr("sys.argv", ["my env/vpemetrics", "demo"])
    monkeypatch.setenv("PATH", str(folder))
    return path


def test_commands_to_copy_name_the_program_as_it_was_called(program: Path) -> None:
    assert Session().hint("report") == "'my env/vpemetrics' report"
    assert program_name(anywhere=True) == f"'{program}'"


def test_where_the_shell_finds_the_program_its_name_is_enough(
    program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(program.parent))

    assert Session().hint("report") == "vpemetrics report"
    assert program_name(anywhere=True) == "vpemetrics"


def test_an_empty_clone_points_to_the_store_of_the_user(folder: Path, imported: Path) -> None:
    users = folder.parent / "home" / ".local" / "share" / "vpemetrics" / "vpemetrics.db"
    users.parent.mkdir(parents=True)
    users.write_bytes(imported.read_bytes())
    subprocess.run(["git", "init", "-q"], check=True)

    result = invoke("report")

    assert result.exit_code == 1
    assert f"Read that one with --store {users}" in result.stderr


def test_every_mistake_in_the_configuration_is_printed(folder: Path) -> None:
    (folder / "vpemetrics.toml").write_text('[organisation]\nnam = "x"\ntimezone = "Mars"\n')

    result = invoke("report")

    assert result.exit_code == 1
    assert "vpemetrics.toml:2: organisation.nam: unknown setting" in result.stderr
    assert "vpemetrics.toml:3: organisation.timezone: found" in result.stderr


def test_a_configuration_that_is_not_there_is_an_error(store: Path) -> None:
    result = invoke("report", "--config", "nowhere.toml")

    assert result.exit_code == 1
    assert result.stderr == "error: nowhere.toml: there is no such configuration file\n"


def test_an_unknown_option_is_a_usage_error(store: Path) -> None:
    result = invoke("report", "--wek", "2026-W36")

    assert result.exit_code == 2
    assert "No such option: --wek" in result.stderr


def test_a_file_that_cannot_be_read_is_no_bug(folder: Path, sample: Path) -> None:
    (folder / "blocked").write_text("")

    result = invoke("export", "blocked/out")  # a file where a folder would have to be

    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == "error: blocked/out: Not a directory"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.slow
def test_a_full_disk_under_stdout_is_no_bug(sample: Path) -> None:
    with Path("/dev/full").open("w") as full:
        run = spawn("report", "-q", stdout=full.fileno())

    assert run.returncode == 1
    assert run.stderr.splitlines()[0] == "error: No space left on device"


@pytest.mark.parametrize("arguments", [("status", "-q"), ("status", "--json", "-q"), ("--help",)])
@pytest.mark.slow
def test_a_closed_stdout_is_no_bug_and_no_store(sample: Path, arguments: tuple[str, ...]) -> None:
    """What is opened next would be number 1, and what is printed would go into it."""
    run = run_closed(">&-", *arguments)

    assert run.returncode == 1
    assert run.stderr.splitlines() == ["error: standard output is closed"]
    assert invoke("status", "-q").exit_code == 0  # the store is whole


@pytest.mark.slow
def test_other_closed_streams_do_no_harm(sample: Path) -> None:
    run = run_closed("<&- 2>&-", "status", "-q")

    assert run.returncode == 0
    assert run.stdout == invoke("status", "-q").stdout


def run_closed(which: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a command that a shell starts with some streams closed."""
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {which}', "sh", *command_of(*arguments)],
        capture_output=True, env=environment(), encoding="utf-8", timeout=PATIENCE, check=False,
    )  # fmt: skip


@pytest.mark.usefixtures("sample")
def test_a_bug_leaves_a_log_and_ends_with_three(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def count(_: Store) -> None:
        raise LookupError

    monkeypatch.setattr(Store, "counts", count)

    result = invoke("status")

    (log,) = (folder.parent / "home" / ".local" / "state" / "vpemetrics").glob("error-*.log")
    assert result.exit_code == 3
    assert str(log) in result.stderr
    assert "this is a bug in vpemetrics: LookupError" in result.stderr
    assert "builtins.LookupError" in log.read_text()


@pytest.mark.slow
def test_a_reader_that_went_away_is_no_error_to_talk_about(sample: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)

    run = spawn("report", "-q", stdout=writing)
    os.close(writing)

    assert run.returncode == 1
    assert run.stderr == ""


def interrupted(process: "subprocess.Popen[str]") -> str:
    """What a process says when it is interrupted; again, if Python lost it in a callback."""
    for _ in range(5):
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            return process.communicate(timeout=5)[1]
    raise AssertionError("it does not end")


@pytest.mark.slow
def test_an_interrupted_import_saves_nothing_and_says_how_to_go_on(
    folder: Path, store: Path
) -> None:
    many = folder / "commits.csv"
    with many.open("w") as file:
        file.write("sha,repository,committed_at\n")
        file.writelines(f"{n:040x},acme/shop,2026-09-01T00:00:00Z\n" for n in range(150_000))
    with Store.open(store) as opened:
        before = opened.counts()

    process = subprocess.Popen(
        command_of("import", many, "--store", store),
        stderr=subprocess.PIPE,
        env=environment(),
        encoding="utf-8",
    )
    log = store.with_name(store.name + "-wal")
    deadline = time.monotonic() + PATIENCE
    while not log.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.3)  # well into the rows, which take seconds
    said = interrupted(process)

    assert process.returncode == 130
    assert said.splitlines()[1:] == [
        "error: interrupted; nothing was saved by halves",
        "       Run the same command again to go on",
    ]
    with Store.open(store) as opened:
        assert opened.counts() == before
