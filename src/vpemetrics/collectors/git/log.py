"""Commits as git tells them, by one `git log` for all of them."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Final, NamedTuple

import numpy as np

from vpemetrics.collectors.git.commands import Git
from vpemetrics.record_columns import Instants, to_instants
from vpemetrics.window import MISSING, SECOND


class Logged(NamedTuple):
    """A commit as git tells it, all of it text; times are seconds since 1970."""

    sha: str
    parents: str
    authored: str
    committed: str
    email: str
    name: str
    committer: str
    message: str


class LogColumns(NamedTuple):
    """Commits as git tells them, a column for each field of `Logged`."""

    shas: list[str]
    parents: list[str]
    authored: list[str]
    committed: list[str]
    emails: list[str]
    names: list[str]
    committers: list[str]
    messages: list[str]

    def rows(self) -> Iterator[Logged]:
        """The commits one by one."""
        return map(Logged._make, zip(*self, strict=True))


# %at and %ct are seconds since 1970 whatever the zone, %B is the message as it was written.
# https://git-scm.com/docs/git-log#_pretty_formats
_FORMAT: Final = "%x00".join(("%H", "%P", "%at", "%ct", "%ae", "%an", "%ce", "%B"))
# A bare repository's .mailmap would be looked for in its files, which a mirror may not have.
# https://git-scm.com/docs/git-config#Documentation/git-config.txt-mailmapblob
_UNTOUCHED: Final = ("--no-mailmap", "--no-notes", "--encoding=UTF-8")
# The years 1 to 9999 in seconds: https://docs.python.org/3/library/datetime.html#datetime.MINYEAR
_FIRST: Final = -62_135_596_800
_LAST: Final = 253_402_300_799
_PLAIN: Final = ("--no-show-signature", "--no-color", *_UNTOUCHED)


def read_log_columns(
    git: Git, tips: Iterable[str], *, without: Iterable[str] = (), more: Iterable[str] = ()
) -> Iterator[LogColumns]:
    """The commits reachable from `tips` and not from `without`, newest first, as they arrive.

    Git is at work from now on. `more` are further options of `git log` that print nothing.
    """
    # `--not` before what is read from standard input negates nothing in git 2.39.
    # Newest first is by committer date, so a child may come after its parent where clocks differ.
    # https://git-scm.com/docs/git-log#_commit_ordering
    lines = [*tips, *(f"^{sha}" for sha in without)]
    options = ("-z", f"--format={_FORMAT}", *_PLAIN, *more, "--stdin")
    return _columns(git.fields("log", *options, given=lines))


def read_log(
    git: Git, tips: Iterable[str], *, without: Iterable[str] = (), more: Iterable[str] = ()
) -> Iterator[Logged]:
    """The same commits one by one."""
    log = read_log_columns(git, tips, without=without, more=more)
    return chain.from_iterable(columns.rows() for columns in log)


def _columns(arriving: Iterable[list[str]]) -> Iterator[LogColumns]:
    width, rest = len(Logged._fields), list[str]()
    for fields in arriving:
        fields[:0] = rest
        whole = len(fields) - len(fields) % width
        rest = fields[whole:]
        del fields[whole:]
        if fields:
            yield LogColumns._make(fields[at::width] for at in range(width))


def read_paths(git: Git, shas: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The paths each commit touches, by its sha; a merge commit touches none."""
    # A line for each commit of standard input, with -z ended by NUL like the paths after it; a
    # merge has paths only with -m or -c. https://git-scm.com/docs/git-diff-tree
    wanted = list(shas)
    arguments = ("diff-tree", "--stdin", "-z", "-r", "--root", "--always", "--name-only")
    found: dict[str, list[str]] = {}
    ahead = iter([*wanted, None])
    following, current = next(ahead), list[str]()
    for fields in git.fields(*arguments, "--no-renames", "--no-ext-diff", given=wanted):
        for field in fields:
            if field == following:  # commits come in the order they were asked for
                current = found[field] = []
                following = next(ahead)
            else:
                current.append(field)
    return {sha: tuple(paths) for sha, paths in found.items()}


def read_parents(git: Git, shas: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The parents of commits as they are written there, whatever a shallow clone leaves out."""
    # `<sha> commit <size>`, and then the commit: https://git-scm.com/docs/git-cat-file#_batch_output
    text, at = git.text("cat-file", "--batch", given=shas) if shas else "", 0
    found = {}
    for sha in shas:
        written = re.compile(rf"^{sha} commit \d+\ntree \w+\n((?:parent \w+\n)*)", re.MULTILINE)
        if said := written.search(text, at):
            found[sha], at = tuple(said[1].split()[1::2]), said.end()
    return found


def instants(seconds: Sequence[str]) -> Instants:
    """The moments that git tells in seconds, as one array; MISSING for what `moment` has none."""
    try:
        counts = np.array(list(map(int, seconds)), dtype=np.int64)
    except (ValueError, OverflowError):
        return to_instants(list(map(moment, seconds)))
    return np.where((counts >= _FIRST) & (counts <= _LAST), counts * SECOND, MISSING)


def moment(seconds: str) -> datetime | None:
    """The moment git tells in seconds; None where it is none, as in damaged commits."""
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def find_commits(git: Git, beginnings: Iterable[str]) -> dict[str, str]:
    """The shas of commits by their first digits, of those that are there and begin alone so."""
    # A branch may have such a name.
    wanted = list(beginnings)
    told = zip(wanted, git.objects(wanted), strict=True)
    return {name: sha for name, (kind, sha) in told if kind == "commit" and sha.startswith(name)}
