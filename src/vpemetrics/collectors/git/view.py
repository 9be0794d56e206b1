"""A git directory of ours, through which git sees a repository of somebody else.

It has the repository's objects and references, and none of its settings, hooks, grafts or
replacements: what git does in a repository is decided by whoever runs it, and by us.
"""

from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Final
from weakref import finalize

from vpemetrics.files import PRIVATE, read_beginning, write

# https://git-scm.com/docs/gitrepository-layout names what there may be; info (grafts, attributes,
# excludes), hooks, config, modules and the index are left out.
_SHARED: Final = ("objects", "refs", "packed-refs", "reftable", "shallow")

# https://git-scm.com/docs/repository-version: how what is stored is to be read. That of remotes
# is read by us, and tells git that objects may be missing on purpose.
_SETTINGS: Final = frozenset(
    {
        "core.repositoryformatversion",
        "extensions.objectformat",
        "extensions.partialclone",
        "extensions.refstorage",
    }
)
_MOST_OF_HEAD: Final = 4096
_REMOTE_SETTINGS: Final = frozenset({"url", "fetch", "promisor", "partialclonefilter"})


class View:
    """A git directory of ours for a repository, at `path` for as long as the view lives."""

    def __init__(self, common: Path, own: Path, settings: str) -> None:
        """`common` is the repository's git directory, `own` that of the work tree.

        `settings` is what `git config --list -z` says of the repository's own file.
        """
        self.path = Path(mkdtemp(prefix="vpemetrics-git-"))
        finalize(self, rmtree, self.path, ignore_errors=True)
        # Also to what is not there: packed-refs may come while git reads.
        for place in (*(common / name for name in _SHARED), own / "logs"):
            (self.path / place.name).symlink_to(place.absolute())
        # Git takes a HEAD that is a link for one of old: https://git-scm.com/docs/gitrepository-layout
        write(self.path / "HEAD", read_beginning(own / "HEAD", _MOST_OF_HEAD), PRIVATE)
        write(self.path / "config", "".join(_config(settings)).encode(), PRIVATE)


def _config(settings: str) -> Iterator[str]:
    """Yield a file of settings with those that may count."""
    yield "[core]\n\tbare = true\n"
    for entry in filter(None, settings.split("\0")):
        key, _, value = entry.partition("\n")
        section, _, rest = key.partition(".")
        name, _, variable = rest.rpartition(".")
        if key in _SETTINGS or (section == "remote" and name and variable in _REMOTE_SETTINGS):
            subsection = f" {_quoted(name)}" if name else ""
            yield f"[{section}{subsection}]\n\t{variable} = {_quoted(value)}\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
