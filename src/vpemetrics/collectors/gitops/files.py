"""The files that commits changed, and their content: two runs of git for all of them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from vpemetrics.collectors.git.commands import Git

_FILES: Final = ("100644", "100755")


class ChangedFile(NamedTuple):
    """A file as a commit left it, by the id of its content."""

    sha: str
    path: str
    blob: str


def changed_files(
    git: Git, line: Sequence[str], parents: Mapping[str, str]
) -> Iterator[ChangedFile]:
    """The files that commits changed against their first parents, in the order of the commits."""
    wanted = (f"{sha} {parents[sha].partition(' ')[0]}".rstrip() for sha in line)
    arguments = ("diff-tree", "--stdin", "-z", "-r", "--root", "--always", "--raw", "--no-abbrev")
    sha, change = "", list[str]()
    for fields in git.fields(*arguments, "--no-renames", "--no-ext-diff", given=wanted):
        for field in fields:
            if change:
                _, mode, _, blob, _ = change
                change = []
                if mode in _FILES:
                    yield ChangedFile(sha, field, blob)
            elif field.startswith(":"):
                change = field.split(" ")
            else:
                sha = field


def read_blobs(git: Git, blobs: Iterable[str]) -> Iterator[bytes]:
    """The contents of files by their ids, in the order asked for."""
    held, arriving = bytearray(), git.chunks(("cat-file", "--batch"), blobs)
    for chunk in arriving:
        held += chunk
        at = 0
        while (end := held.find(b"\n", at)) >= 0:
            size = int(held[at:end].rpartition(b" ")[2])
            if len(held) < end + size + 2:
                break
            yield bytes(held[end + 1 : end + 1 + size])
            at = end + size + 2
        del held[:at]
