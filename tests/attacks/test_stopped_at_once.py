"""A schedule that is told to stop before it has begun ends as one that has: well."""

import signal
import subprocess
import time
from pathlib import Path

import pytest
from commandline import command_of
from subprocesses import PATIENCE, environment

from vpemetrics.__main__ import _command

pytestmark = pytest.mark.slow

CONFIGURATION = '[sources.files]\ntype = "files"\npath = "records"\n'


def listens_to(process: "subprocess.Popen[str]", number: signal.Signals) -> bool:
    """Tell whether a process has said what to do at a signal."""
    # https://man7.org/linux/man-pages/man5/proc_pid_status.5.html
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
    (caught,) = (line.split()[1] for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught, 16) & 1 << (number - 1))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="it is seen in /proc")
@pytest.mark.parametrize("seconds", [0, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.5, 2.5])
def test_sigterm_in_the_first_seconds_ends_with_0(tmp_path: Path, seconds: float) -> None:
    (tmp_path / "vpemetrics.toml").write_text(CONFIGURATION, encoding="utf-8")
    (tmp_path / "records").mkdir()
    rows = "id,environment,status,finished_at\n1,production,succeeded,2026-09-01T10:00:00Z\n"
    (tmp_path / "records" / "deployments.csv").write_text(rows, encoding="utf-8")
    process = subprocess.Popen(
        command_of("schedule"),
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    deadline = time.monotonic() + PATIENCE
    while not listens_to(process, signal.SIGTERM):
        assert time.monotonic() < deadline
        time.sleep(0.002)
    time.sleep(seconds)

    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=PATIENCE)

    assert process.returncode == 0, said
    assert "Traceback" not in said
    assert "bug" not in said


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["schedule"], "schedule"),
        (["-q", "--config", "x.toml", "schedule"], "schedule"),
        (["report", "--service", "schedule"], "report"),
        (["--store", "schedule", "status"], "status"),
        (["--config"], None),
        ([], None),
    ],
)
def test_the_command_is_found_behind_options(arguments: list[str], command: str | None) -> None:
    assert _command(arguments) == command
