"""Tags that were deployments, and of what: pure, over the names people give tags.

A version is numbers with dots, perhaps after a `v`: `v1.2.3`, `2024.05`, `v41`. A name before
it tells which of several things was released: `web/v1.2`, `web-1.2`, `server/v3.5.0`.
"""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from vpemetrics.rules import is_chosen


class Tag(NamedTuple):
    """A tag of a commit, and when it was made: a light one when the commit was, in seconds."""

    name: str
    commit: str
    seconds: str


# A build, a patch or a word that means "final" may follow; any other word makes a pre-release.
# Each name can be read in one way only, and so none takes long: nothing that was taken is given
# back (`++`), and what may stand in two places is asked for what follows.
_WORD: Final = r"(?:post|hotfix|patch|p|rev|r|sp|build)(?:\d++|[-._](?=[-._+]|$))?"
_VERSION: Final = (
    r"(?P<v>[vV]?)(?P<numbers>\d++(?:[._]\d++)*+)[a-z]?"
    rf"(?:[-._](?:\d++|release|final|ga|stable|lts|{_WORD}))*"
    r"(?:\+\S+)?"
)
# Python reads no longer numbers: https://docs.python.org/3/library/sys.html#sys.set_int_max_str_digits
_MOST_DIGITS: Final = 4_000
_ANY_VERSION: Final = r"[vV]?\d\S*"
_PREFIX: Final = r"(?:(?P<prefix>[\d./@_-]*+[^\d./@_-].*?)[-_/@])?"
_RELEASE: Final = re.compile(_PREFIX + _VERSION, re.IGNORECASE)
_SOME_VERSION: Final = re.compile(_PREFIX + _ANY_VERSION, re.IGNORECASE)
# A file of git's is named by no more, and so is a branch or a tag that was ever in one.
_LONGEST: Final = 255
_EARLY: Final = re.compile(
    r"\d[-._]?(?:a|b|c|rc|alpha|beta|dev|pre|preview|snapshot|nightly|canary|m|cr)[-._]?\d*\b|"
    r"(?:^|[-._/])(?:rc|alpha|beta|dev|pre|preview|snapshot|nightly|canary|next)\b",
    re.IGNORECASE,
)
_GENERIC: Final = frozenset(
    {"release", "releases", "rel", "version", "ver", "v", "deploy", "deployed", "live"}
    | {"prod", "production", "stable", "tag"}
)


def deployed_tags(tags: Sequence[Tag], patterns: Sequence[str]) -> list[Tag]:
    """The tags that were deployments: by patterns, without any the versions that are final.

    Of several versions of one commit the first is the release then: a Go module, for one, is
    tagged again under a version of its own. A name that no file could have is none of a deployment.
    """
    tags = [tag for tag in tags if len(tag.name) <= _LONGEST]
    if patterns:
        return [tag for tag in tags if is_chosen(tag.name, patterns)]
    releases = [tag for tag in tags if is_release(tag.name)]
    first: dict[tuple[str, str | None], Tag] = {}
    for tag in sorted(releases, key=_creation_order):
        first.setdefault((tag.commit, service_of(tag.name, "")), tag)
    kept = {tag.name for tag in first.values()}
    return [tag for tag in releases if tag.name in kept]


def _creation_order(tag: Tag) -> tuple[int, list[int]]:
    """The order of tags: by when they were made; of one moment the highest version comes first."""
    found = _fit(_RELEASE, tag.name)
    numbers = re.findall(r"\d+", found["numbers"]) if found else []
    return int(tag.seconds or 0), [-int(number[:_MOST_DIGITS]) for number in numbers]


def is_release(name: str) -> bool:
    """Tell whether a tag's name is a version, and not of a pre-release."""
    found = _fit(_RELEASE, name)
    if found is None or _EARLY.search(name):
        return False
    prefix = found["prefix"]
    return _is_generic(prefix) or bool(found["v"]) or not found["numbers"].isdecimal()


def service_of(name: str, repository: str) -> str | None:
    """The service whose release a tag's name tells; None if it is the repository as a whole."""
    found = _fit(_SOME_VERSION, name)
    prefix = found["prefix"] if found else None
    if _is_generic(prefix) or str(prefix).lower() == repository.rpartition("/")[2].lower():
        return None
    return prefix


def _fit(expression: re.Pattern[str], name: str) -> re.Match[str] | None:
    return expression.fullmatch(name) if len(name) <= _LONGEST else None


def _is_generic(prefix: str | None) -> bool:
    return prefix is None or prefix.lower() in _GENERIC
