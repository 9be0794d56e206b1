"""Runs vpemetrics as people do: in this process, or as one of its own where that matters."""

import subprocess
import sys

from subprocesses import PATIENCE, environment
from typer.testing import CliRunner, Result

from vpemetrics.cli import app


def invoke(*arguments: object) -> Result:
    """Runs a command in this process; `stdout`, `stderr` and `exit_code` are what came of it."""
    return CliRunner().invoke(app, [str(one) for one in arguments], prog_name="vpemetrics")


def spawn(*arguments: object, stdout: int = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    """Runs a command in a process of its own."""
    return subprocess.run(
        command_of(*arguments),
        stdout=stdout,
        stderr=subprocess.PIPE,
        env=environment(),
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
    )


def command_of(*arguments: object) -> list[str]:
    """The command as a list for subprocess."""
    return [sys.executable, "-m", "vpemetrics", *(str(one) for one in arguments)]
