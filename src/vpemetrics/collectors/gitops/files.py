"""The files that commits changed, and their content: two runs of git for all of them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from vpemetrics.collectors.git.commands import Git

_FILES: Final = ("100644", "100755")
_REMOVED: Final = "000000"


class ChangedFile(NamedTuple):
    """A file as a commit left it, by the id of its content; that is empty if it is removed."""

    sha: str
    path: str
    blob: str


def changed_files(
    git: Git, line: Sequence[str], parents: Mapping[str, str]
) -> Iterator[ChangedFile]:
    """The files that commits changed against their first parents, in the order of the commits."""
    # After a commit may stand the parents it is to be compared with. A change is five fields that
    # begin with a colon, and with -z the path follows after a NUL.
    # https://git-scm.com/docs/git-diff-tree and https://git-scm.com/docs/diff-format
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
                elif mode == _REMOVED:
                    yield ChangedFile(sha, field, "")
            elif field.startswith(":"):
                change = field.split(" ")
            else:
                sha = field


def read_blobs(git: Git, blobs: Iterable[str], most: int) -> Iterator[bytes | None]:
    """The contents of files by their ids, in the order asked for; None of one larger than `most`.

    Of such a one no more than a piece is ever held.
    """
    # `<id> <type> <size>`, a line feed, the content and a line feed, for each object asked for.
    # https://git-scm.com/docs/git-cat-file#_batch_output
    held, to_pass = bytearray(), 0
    for chunk in git.chunks(("cat-file", "--batch"), blobs):
        held += chunk
        passed = min(to_pass, len(held))
        del held[:passed]
        to_pass -= passed
        while not to_pass and (end := held.find(b"\n")) >= 0:
            size = int(held[:end].rpartition(b" ")[2])
            if size > most:
                yield None
                passed = min(end + size + 2, len(held))
                to_pass = end + size + 2 - passed
            elif len(held) < end + size + 2:
                break
            else:
                yield bytes(held[end + 1 : end + 1 + size])
                passed = end + size + 2
            del held[:passed]
