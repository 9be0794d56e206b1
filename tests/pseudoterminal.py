"""A terminal for commands to run on, which a pseudo-terminal stands for."""

import os
import pty
import select
import subprocess
import time

from commandline import command_of
from subprocesses import PATIENCE, environment


def seen(*arguments: object, **variables: str) -> str:
    """What a command that succeeds writes to a terminal of 100 columns, stdout and stderr."""
    written, code = ended(*arguments, **variables)
    assert code == 0
    return written


def ended(*arguments: object, **variables: str) -> tuple[str, int]:
    """What a command writes to a terminal, and its exit code."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command_of(*arguments),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment() | {"TERM": "xterm-256color", "COLUMNS": "100"} | variables,
    )
    os.close(theirs)
    written, deadline = b"", time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if not select.select([ours], [], [], 0.2)[0]:
            continue
        try:
            written += os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
    os.close(ours)
    return written.decode().replace("\r\n", "\n"), process.wait(timeout=PATIENCE)
