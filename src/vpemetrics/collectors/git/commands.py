"""Runs git so that no setting, language or terminal of a person gets in between."""

import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final

from vpemetrics.errors import FixConfiguration, FixInput

_PLAIN: Final = (
    "-c", "core.quotePath=false",
    "-c", "log.showSignature=false",
    "-c", "color.ui=false",
)  # fmt: skip
# What each variable does: https://git-scm.com/docs/git#_environment_variables
_KEPT: Final = ("GIT_CONFIG", "GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM")
_CHUNK: Final = 1 << 18


class GitFailed(FixInput):
    """Git ended with an error; the text is its own."""


@dataclass(frozen=True, kw_only=True)
class Git:
    """The git command at a folder that lies in a repository, or is a bare one."""

    path: Path

    def text(self, *arguments: str, given: Iterable[str] = ()) -> str:
        """All that a command prints; `given` are the lines it reads."""
        return b"".join(self.chunks(arguments, given)).decode("utf-8", "replace")

    def attempt(self, *arguments: str) -> str | None:
        """All that a command prints; None where git says it cannot."""
        try:
            return self.text(*arguments)
        except GitFailed:
            return None

    def fields(self, *arguments: str, given: Iterable[str] = ()) -> Iterator[list[str]]:
        """Yield the output of a command, cut at every NUL, as much at a time as has arrived.

        Git is at work from now on. Bytes that are no UTF-8 become U+FFFD.
        """
        return _cut(self.chunks(arguments, given))

    def chunks(self, arguments: Iterable[str], given: Iterable[str]) -> Iterator[bytes]:
        """Yield the output of a command as it arrives; git is at work from now on."""
        with TemporaryFile() as lines, ExitStack() as unless_begun:  # pipes could block
            complaints = unless_begun.enter_context(TemporaryFile())
            lines.write("".join(f"{line}\n" for line in given).encode())
            lines.seek(0)
            process = self._start(arguments, lines, complaints)
            unless_begun.pop_all()
        return self._read(process, complaints)

    def _read(self, process: "subprocess.Popen[bytes]", complaints: IO[bytes]) -> Iterator[bytes]:
        """Yield a process's output; without a reader its pipe is closed, and it ends."""
        with complaints:
            with process:
                try:
                    yield from iter(partial(_output(process).read, _CHUNK), b"")
                except BaseException:
                    process.kill()
                    raise
            if process.returncode:
                complaints.seek(0)
                raise self._failure(complaints.read().decode("utf-8", "replace").strip())

    def _start(
        self, arguments: Iterable[str], lines: IO[bytes], complaints: IO[bytes]
    ) -> "subprocess.Popen[bytes]":
        if not self.path.is_dir():
            raise FixConfiguration(f"there is no folder {self.path}")
        try:
            return subprocess.Popen(
                ["git", "-C", str(self.path), *_PLAIN, *arguments],
                stdin=lines,
                stdout=subprocess.PIPE,
                stderr=complaints,
                env=plain_environment(os.environ),
                pipesize=_CHUNK,
            )
        except FileNotFoundError:
            raise FixConfiguration("git was not found; install it, or mend PATH") from None

    def _failure(self, said: str) -> FixConfiguration | GitFailed:
        # Git tells these apart in words alone, which LC_ALL=C keeps English.
        # https://git-scm.com/docs/git-config#Documentation/git-config.txt-safedirectory
        if "dubious ownership" in said:
            return FixConfiguration(
                f"{self.path} belongs to another user, so git refuses to read it; if you trust "
                f"it: git config --global --add safe.directory '{self.path.resolve()}'"
            )
        if "not a git repository" in said:
            return FixConfiguration(f"{self.path} lies in no git repository")
        return GitFailed(f"git could not read {self.path}: {said or 'it gave no reason'}")


def _cut(chunks: Iterable[bytes]) -> Iterator[list[str]]:
    rest = b""
    for chunk in chunks:
        whole, end, rest = (rest + chunk).rpartition(b"\0")
        if end:
            yield whole.decode("utf-8", "replace").split("\0")
    if rest:
        yield [rest.decode("utf-8", "replace")]


def _output(process: "subprocess.Popen[bytes]") -> IO[bytes]:
    if process.stdout is None:
        raise TypeError("the output of git is read through a pipe")
    return process.stdout


def plain_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without what would lead git elsewhere, ask a person or change its words."""
    kept = {
        name: value
        for name, value in environ.items()
        if not name.startswith("GIT_") or name.startswith(_KEPT)
    }
    return kept | {
        "LC_ALL": "C",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_LAZY_FETCH": "1",
    }
