"""A small disk of a test's own, which can be full, and read only."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from subprocesses import PATIENCE


@dataclass(frozen=True, kw_only=True)
class Disk:
    """A file system in memory; mark the tests that need one with `needs_mount`."""

    path: Path

    def fill(self) -> None:
        """Takes what is free to the last byte."""
        with (self.path / ".filler").open("ab", buffering=0) as filler:
            for size in (64 * 1024, 4 * 1024, 1):
                try:
                    while filler.write(b"x" * size):
                        pass
                except OSError:
                    continue

    def clear(self) -> None:
        """Gives back what `fill` took."""
        (self.path / ".filler").unlink()

    def allow(self, mode: str) -> None:
        """Has it be read only (`ro`), or written to again (`rw`)."""
        _run("mount", "-o", f"remount,{mode}", self.path)


@contextmanager
def mounted(path: Path, megabytes: int) -> Iterator[Disk]:
    """A disk of some size in a folder, which is made. Skips where nobody may mount."""
    path.mkdir()
    size = f"size={megabytes}m"
    try:
        _run("mount", "-t", "tmpfs", "-o", size, "tmpfs", path)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no disk can be mounted here: {error}")
    try:
        yield Disk(path=path)
    finally:
        _run("umount", "--lazy", path)


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE, env=os.environ)
