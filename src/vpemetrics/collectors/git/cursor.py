"""The position in a repository that a collection leaves for the next one to go on from."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_LISTS: Final = ("boundary", "told", "bare", "issues", "pulls", "odd_merges")


@dataclass(frozen=True, kw_only=True)
class GitCursor:
    """The refs that were read, and what was told of them.

    `settings` stand for all that decides what is told; another means reading all again.
    `tags` are the deployed ones with what they tell, `told` the numbers of pull requests and
    `bare` those of them without their original commits, `heads` stands for the heads that these
    had. `issues` and `pulls` are numbers that were only marked, and were taken for these.
    `first_at` and `last_at` say what is
    covered, in ISO-8601. `push` is the first commit of those that were deployed last on the branch,
    `pushed_at` its time and `newest_at` that of the last of them. `imports`: a merge brought in
    another repository's history. `odd_merges` are those in no known form.
    """

    settings: str
    tip: str | None
    tags: Mapping[str, str]
    boundary: tuple[str, ...]
    told: tuple[int, ...]
    bare: tuple[int, ...]
    issues: tuple[int, ...]
    pulls: tuple[int, ...]
    heads: str
    first_at: str
    last_at: str
    newest_at: str = ""
    push: str = ""
    pushed_at: str = ""
    imports: bool = False
    odd_merges: tuple[str, ...] = ()

    def to_json(self) -> str:
        """One line, as a cursor holds it."""
        return json.dumps(vars(self), separators=(",", ":"), sort_keys=True)


def parse_cursor(text: str | None) -> GitCursor | None:
    """The position a cursor holds; None if there is none, or an older version wrote it."""
    try:
        said = json.loads(text or "null")
        lists = {name: tuple(said[name]) for name in _LISTS}
        return GitCursor(**(said | lists))
    except (TypeError, KeyError, ValueError):
        return None
