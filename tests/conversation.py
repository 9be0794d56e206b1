"""Talks to vpemetrics on a terminal, as a person does who is asked something."""

import os
import pty
import select
import subprocess
import time

from commandline import command_of
from subprocesses import PATIENCE, environment

END = "\x04"
"""An answer that is none: the end of input."""


def talked_to(command: str, *answers: str, ends_with: int = 0) -> tuple[str, list[str]]:
    """What a command writes to a terminal, and the questions that a person answers."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command_of(*command.split(), "--no-color"),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment() | {"TERM": "xterm", "COLUMNS": "200"},
    )
    os.close(theirs)
    written, asked, left = b"", 0, list(answers)
    questions = []
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if select.select([ours], [], [], 0.2)[0]:
            try:
                written += os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
        elif left and written[asked:].rstrip(b" ").endswith(b":"):
            asked = len(written)
            questions.append(written.decode().splitlines()[-1])
            answer = left.pop(0)
            os.write(ours, answer.encode() if answer == END else f"{answer}\n".encode())
    os.close(ours)
    said = written.decode().replace("\r\n", "\n")
    assert process.wait(timeout=PATIENCE) == ends_with, said
    assert left == [], said
    return said, questions
