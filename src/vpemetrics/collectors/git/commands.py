"""The git command, run in this one place, so that nothing of a repository runs.

A repository's objects and references are read through a `View`; a person's and the machine's
settings stay valid, so that proxies, certificates and rewritten addresses do as well. git gets a
few named variables and no secret, no terminal, pager, editor or askpass, and reaches no network
unless it is to fetch.
"""

import os
import re
import subprocess
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from shlex import quote
from tempfile import TemporaryFile
from threading import Timer
from typing import IO, Any, Final

from vpemetrics.collectors.git.view import View
from vpemetrics.errors import FixConfiguration, FixInput

# https://git-scm.com/docs/git-config. These come from the command line, so that they count above
# everything a person, a machine or a repository says.
SETTINGS: Final = {
    "advice.graftFileDeprecated": "false",  # we name one, so that none counts
    "core.quotePath": "false",
    "log.showSignature": "false",
    "color.ui": "false",
    "core.commitGraph": "false",  # what it says of parents is not held to the commits themselves
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.askPass": "",
    "safe.bareRepository": "explicit",
    "credential.helper": "",
    "protocol.allow": "never",
    "http.followRedirects": "false",
    "submodule.recurse": "false",
    "fetch.recurseSubmodules": "false",
    "maintenance.auto": "false",
    "gc.auto": "0",
}
# What each variable does: https://git-scm.com/docs/git#_environment_variables
_NAMED: Final = frozenset(
    {
        "PATH", "HOME", "TMPDIR", "SSH_AUTH_SOCK", "LANG",
        "GIT_SSL_CAINFO", "GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM",
        "SYSTEMROOT", "USERPROFILE",
    }
)  # fmt: skip
_KINDS: Final = ("XDG_", "SSL_CERT_", "GIT_CONFIG_", "LC_")
_PROXIES: Final = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
_CHUNK: Final = 1 << 18
_LONGEST: Final = 1 << 20
"""The bytes of a field that are kept: nobody writes a longer message, but to fill memory."""
_LONGEST_COMPLAINT: Final = 1 << 14
_PATIENCE: Final = timedelta(hours=1)
"""The time that git gets for the next piece of its output: a pipe among its files never ends."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The git directory of a repository, `common` to its work trees, and that of one of them."""

    common: Path
    own: Path
    is_bare: bool


class GitFailed(FixInput):
    """Git ended with an error; the text is its own, `said` without ours."""

    def __init__(self, text: str, said: str) -> None:
        super().__init__(text)
        self.said = said


# https://git-scm.com/docs/partial-clone: what is not there is fetched when it is wanted, which a
# reader of somebody else's repository does not do.
_IN_A_PARTIAL_CLONE: Final = re.compile(
    "lazy fetching disabled|could not fetch .* from promisor remote"
).search


@dataclass(frozen=True, kw_only=True)
class Git:
    """The git command at a folder that lies in a repository, or is a bare one."""

    path: Path
    patience: timedelta = _PATIENCE
    # No cached_property: until Python 3.12 one lets no thread look at a repository while another
    # does: https://docs.python.org/3/library/functools.html#functools.cached_property
    _seen: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def layout(self) -> Layout:
        """The repository's directories. FixConfiguration if there is none, or not for us."""
        if "layout" not in self._seen:
            self._seen["layout"] = self._find_layout()
        found: Layout = self._seen["layout"]
        return found

    @property
    def view(self) -> View:
        """The git directory that git gets to see instead of the repository's own."""
        if "view" not in self._seen:
            self._seen["view"] = self._make_view()
        made: View = self._seen["view"]
        return made

    def _find_layout(self) -> Layout:
        asked = ("rev-parse", "--git-common-dir", "--absolute-git-dir", "--is-bare-repository")
        # A bare repository is taken for one only where somebody names it, so that none that lies
        # in a clone is: https://git-scm.com/docs/git-config (safe.bareRepository)
        place = _bare_directory(self.path)
        named = [f"--git-dir={place}"] if place else []
        # Folders have names of any bytes, and only a line feed ends a line of git's.
        said = os.fsdecode(b"".join(self._chunks((*named, *asked), ())))
        common, own, is_bare, *more = said.split("\n")
        if more != [""]:
            raise FixConfiguration(f"{str(self.path)!r} has a line break in its name; rename it")
        return Layout(common=self.path / common, own=self.path / own, is_bare=is_bare == "true")

    def _make_view(self) -> View:
        places = self.layout
        file = places.common / "config"
        # Without --includes: a file of settings that names others is read by itself.
        listed = ("--no-includes", "--list", "-z")
        said = self.discover("config", f"--file={file}", *listed) if file.is_file() else ""
        return View(places.common, places.own, said)

    def text(self, *arguments: str, given: Iterable[str] = ()) -> str:
        """All that a command prints; `given` are the lines it reads."""
        return b"".join(self.chunks(arguments, given)).decode("utf-8", "replace")

    def beginning(self, *arguments: str, most: int) -> bytes:
        """The first bytes that a command prints; git is ended when these are there."""
        held, chunks = bytearray(), self.chunks(arguments, ())
        with closing(chunks):
            for chunk in chunks:
                held += chunk
                if len(held) >= most:
                    break
        return bytes(held[:most])

    def attempt(self, *arguments: str) -> str | None:
        """All that a command prints; None where git says it cannot."""
        try:
            return self.text(*arguments)
        except GitFailed:
            return None

    def fields(self, *arguments: str, given: Iterable[str] = ()) -> Iterator[list[str]]:
        """Yield the output of a command, cut at every NUL, as much at a time as has arrived.

        Git is at work from now on. Bytes that are no UTF-8 become U+FFFD; of a field that is longer
        than any that people write only the beginning is there.
        """
        return _cut(self.chunks(arguments, given))

    def chunks(
        self, arguments: Iterable[str], given: Iterable[str]
    ) -> Generator[bytes, None, None]:
        """Yield the output of a command as it arrives; git is at work from now on."""
        return self._chunks([f"--git-dir={self.view.path}", *arguments], given)

    def objects(self, names: Iterable[str]) -> Iterator[tuple[str, str]]:
        """The type and the whole name of what each of some names stands for.

        Another word than a type, and no object, where there is not one of that name.
        """
        # https://git-scm.com/docs/git-cat-file#_batch_output
        form = "--batch-check=%(objecttype) %(objectname)"
        for line in self.text("cat-file", form, given=names).splitlines():
            kind, _, name = line.partition(" ")
            yield kind, name

    def discover(self, *arguments: str) -> str:
        """All that a command prints which looks where a repository is, and reads no index."""
        return b"".join(self._chunks(arguments, ())).decode("utf-8", "replace")

    def fetch(
        self,
        arguments: Iterable[str],
        *,
        protocols: Iterable[str],
        settings: Mapping[str, str],
        keep_open: Iterable[int] = (),
    ) -> None:
        """Run a command that brings objects from elsewhere; GitFailed if it cannot.

        `settings` reach git by its environment, which other people cannot see. The files
        `keep_open` stay open for as long as git works, though this process may have ended.
        """
        variables = environment(os.environ, protocols)
        # Fetching is what a mirror of parts is completed by.
        del variables["GIT_NO_LAZY_FETCH"]
        begin = int(variables.get("GIT_CONFIG_COUNT", "0"))
        for at, (name, value) in enumerate(settings.items(), begin):
            variables |= {f"GIT_CONFIG_KEY_{at}": name, f"GIT_CONFIG_VALUE_{at}": value}
        variables["GIT_CONFIG_COUNT"] = str(begin + len(settings))
        b"".join(self._chunks(arguments, (), variables, keep_open))

    def ignores(self, name: str) -> bool:
        """True of a file that is not to be committed, by the rules of its folder."""
        try:
            self.discover("check-ignore", "-q", "--no-index", name)
        except GitFailed:
            return False
        return True

    def _chunks(
        self,
        arguments: Iterable[str],
        given: Iterable[str],
        variables: Mapping[str, str] | None = None,
        keep_open: Iterable[int] = (),
    ) -> Generator[bytes, None, None]:
        with TemporaryFile() as lines, ExitStack() as unless_begun:  # pipes could block
            complaints = unless_begun.enter_context(TemporaryFile())
            lines.write("".join(f"{line}\n" for line in given).encode())
            lines.seek(0)
            process = self._start(arguments, lines, complaints, variables, keep_open)
            unless_begun.pop_all()
        return self._read(process, complaints)

    def _read(
        self, process: "subprocess.Popen[bytes]", complaints: IO[bytes]
    ) -> Generator[bytes, None, None]:
        """Yield a process's output; without a reader its pipe is closed, and it ends."""
        silences: list[str] = []
        with complaints:
            with process:
                try:
                    yield from iter(partial(self._read_chunk, process, silences), b"")
                except BaseException:
                    process.kill()
                    raise
            if silences:
                raise GitFailed(silences[0], silences[0])
            if process.returncode:
                # A server may say more than anybody reads; why git ended comes last.
                complaints.seek(max(0, complaints.seek(0, os.SEEK_END) - _LONGEST_COMPLAINT))
                raise self._failure(complaints.read().decode("utf-8", "replace").strip())

    def _read_chunk(self, process: "subprocess.Popen[bytes]", silences: list[str]) -> bytes:
        """The next piece of a process's output; one that says nothing for too long is killed."""

        def end() -> None:
            silences.append(
                f"git said nothing about {self.path} for {self.patience}, and was ended; a file "
                "in it may be a pipe, or its disk be gone"
            )
            process.kill()

        timer = Timer(self.patience.total_seconds(), end)
        timer.daemon = True
        timer.start()
        try:
            return _output(process).read(_CHUNK)
        finally:
            timer.cancel()

    def _start(
        self,
        arguments: Iterable[str],
        lines: IO[bytes],
        complaints: IO[bytes],
        variables: Mapping[str, str] | None,
        keep_open: Iterable[int],
    ) -> "subprocess.Popen[bytes]":
        if not self.path.is_dir():
            raise FixConfiguration(f"there is no folder {self.path}")
        try:
            return subprocess.Popen(
                ["git", "-C", str(self.path), *flags(SETTINGS), *arguments],
                stdin=lines,
                stdout=subprocess.PIPE,
                stderr=complaints,
                env=environment(os.environ) if variables is None else variables,
                pipesize=_CHUNK,
                pass_fds=tuple(keep_open),
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
        said = said or "it gave no reason"
        if _IN_A_PARTIAL_CLONE(said):
            return GitFailed(
                f"{self.path} is a partial clone, and lacks what is to be read; nothing is fetched "
                f"on the way, so bring it with: git -C {quote(str(self.path))} fetch --refetch "
                "--no-filter",
                said,
            )
        return GitFailed(f"git could not read {self.path}: {said}", said)


def _cut(chunks: Iterable[bytes]) -> Iterator[list[str]]:
    rest = b""
    for chunk in chunks:
        whole, end, rest = (rest + chunk).rpartition(b"\0")
        if end:
            yield whole.decode("utf-8", "replace").split("\0")
        rest = rest[:_LONGEST]
    if rest:
        yield [rest.decode("utf-8", "replace")]


def _output(process: "subprocess.Popen[bytes]") -> IO[bytes]:
    if process.stdout is None:
        raise TypeError("the output of git is read through a pipe")
    return process.stdout


def flags(settings: Mapping[str, str]) -> list[str]:
    """Settings as arguments that stand before a command of git."""
    return [
        "--no-pager",
        *(part for name in settings for part in ("-c", f"{name}={settings[name]}")),
    ]


def environment(environ: Mapping[str, str], protocols: Iterable[str] = ()) -> dict[str, str]:
    """The variables that git gets: those it is known to need, and no network but `protocols`."""
    kept = {name: value for name, value in environ.items() if _is_needed(name)}
    return kept | {
        "LC_ALL": "C",
        "GIT_ALLOW_PROTOCOL": ":".join(protocols),
        "GIT_ASKPASS": "true",
        "GIT_EDITOR": "true",
        "GIT_GRAFT_FILE": os.devnull,
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
    }


def _is_needed(name: str) -> bool:
    return name in _NAMED or name.lower() in _PROXIES or name.startswith(_KINDS)


def _bare_directory(folder: Path) -> Path | None:
    """The git directory that a folder is or lies in, if no work tree is nearer.

    https://git-scm.com/docs/gitrepository-layout
    """
    for place in (folder.absolute(), *folder.absolute().parents):
        if (place / ".git").exists():
            return None
        if (place / "HEAD").is_file() and all(
            map(Path.is_dir, (place / "objects", place / "refs"))
        ):
            return place
    return None
