"""Tags that were deployments, and of what: pure, over the names people give tags.

A version is numbers with dots, perhaps after a `v`: `v1.2.3`, `2024.05`, `v41`. A name before
it tells which of several things was released: `web/v1.2`, `web-1.2`, `server/v3.5.0`; or to where:
`staging/v1.2`, `shop/prod-1.2`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from vpemetrics.rules import is_chosen


class Tag(NamedTuple):
    """A tag of a commit, and when it was made, in seconds: a `light` one when the commit was."""

    name: str
    commit: str
    seconds: str
    light: bool = False

    @property
    def state(self) -> str:
        """All that it tells beside its name, as one text."""
        return f"{self.commit} {self.seconds}{' light' * self.light}"


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
# Without a name first: what comes before a build's number is no name, as in `v1.0.0-1`.
_RELEASES: Final = tuple(
    re.compile(prefix + _VERSION, re.IGNORECASE) for prefix in ("(?P<prefix>(?!))?", _PREFIX)
)
_SOME_VERSIONS: Final = tuple(
    re.compile(prefix + _ANY_VERSION, re.IGNORECASE) for prefix in ("(?P<prefix>(?!))?", _PREFIX)
)
_BUILD: Final = re.compile(r"(?P<bare>.*\d)-(?P<build>\d+)", re.DOTALL)
# A file of git's is named by no more, and so is a branch or a tag that was ever in one.
_LONGEST: Final = 255
_EARLY: Final = re.compile(
    r"\d[-._]?(?:a|b|c|rc|alpha|beta|dev|pre|preview|snapshot|nightly|canary|m|cr)[-._]?\d*\b|"
    r"(?:^|[-._/])(?:rc|alpha|beta|dev|pre|preview|snapshot|nightly|canary|next)\b",
    re.IGNORECASE,
)
_GENERIC: Final = frozenset(
    {"release", "releases", "rel", "version", "ver", "v", "deploy", "deployed", "stable", "tag"}
)
_PRODUCTION: Final = frozenset({"prod", "production", "live"})
_MAY_BE_PRODUCTION: Final = re.compile("prod|live", re.IGNORECASE)
_STAGES: Final = frozenset(
    {"staging", "stage", "stg", "test", "uat", "qa", "dev", "int", "preview", "sandbox", "canary"}
)
"""The other places that a name may tell a deployment to."""
_PART: Final = re.compile(r"[-_/@]")


class Aside(StrEnum):
    """The reasons why a version is none that was deployed, which the others beside it tell."""

    PRE_RELEASE = "pre_release"
    NO_PRODUCTION = "no_production"


def version_tags(tags: Iterable[Tag], patterns: Sequence[str]) -> list[Tag]:
    """The tags that may be deployments: by patterns, without any those named as final versions.

    A name that no file could have is none of a deployment.
    """
    tags = [tag for tag in tags if len(tag.name) <= _LONGEST]
    if patterns:
        return [tag for tag in tags if is_chosen(tag.name, patterns)]
    return [tag for tag in tags if is_release(tag.name)]


def set_aside(made: Mapping[str, int]) -> dict[str, Aside]:
    """The versions of a repository, with when each was made, that were not deployed after all.

    A numbered build came before its version where builds count from 0, or the version was made
    later. Where any version is named as one of production, those named for no place are none.
    """
    aside = dict.fromkeys(_early_builds(made), Aside.PRE_RELEASE)
    rest = [name for name in made if name not in aside]
    if any(_place_of(name) in _PRODUCTION for name in filter(_MAY_BE_PRODUCTION.search, rest)):
        aside |= {name: Aside.NO_PRODUCTION for name in rest if not _place_of(name)}
    return aside


def deployed_tags(tags: Sequence[Tag], patterns: Sequence[str]) -> list[Tag]:
    """The tags that were deployments: by patterns, without any the versions that are final.

    Of several versions of one commit the first is the release then: a Go module, for one, is
    tagged again under a version of its own.
    """
    chosen = version_tags(tags, patterns)
    if patterns:
        return chosen
    aside = set_aside({tag.name: int(tag.seconds or 0) for tag in chosen})
    releases = [tag for tag in chosen if tag.name not in aside]
    first: dict[tuple[str, str | None, str | None], Tag] = {}
    for tag in sorted(releases, key=_creation_order):
        which = tag.commit, service_of(tag.name, ""), environment_of(tag.name)
        first.setdefault(which, tag)
    kept = {tag.name for tag in first.values()}
    return [tag for tag in releases if tag.name in kept]


def _early_builds(made: Mapping[str, int]) -> set[str]:
    """The numbered builds that came before a version: they count from 0, or it came later."""
    builds = [found for name in made if (found := _BUILD.fullmatch(name))]
    from_zero = {found["bare"] for found in builds if int(found["build"][:_MOST_DIGITS]) == 0}
    return {
        found[0]
        for found in builds
        if found["bare"] in from_zero or made.get(found["bare"], made[found[0]]) > made[found[0]]
    }


def _creation_order(tag: Tag) -> tuple[int, list[int]]:
    """The order of tags: by when they were made; of one moment the highest version comes first."""
    found = _fit(_RELEASES, tag.name)
    numbers = re.findall(r"\d+", found["numbers"]) if found else []
    return int(tag.seconds or 0), [-int(number[:_MOST_DIGITS]) for number in numbers]


def is_release(name: str) -> bool:
    """Tell whether a tag's name is a version, and not of a pre-release."""
    found = _fit(_RELEASES, name)
    if found is None or _EARLY.search(_without_place(name)):
        return False
    prefix = _name_before(found)
    return _is_generic(prefix) or bool(found["v"]) or not found["numbers"].isdecimal()


def is_pre_release(name: str) -> bool:
    """Tell whether a tag's name is a version of a pre-release."""
    return bool(_fit(_SOME_VERSIONS, name) and _EARLY.search(_without_place(name)))


def service_of(name: str, repository: str) -> str | None:
    """The service whose release a tag's name tells; None if it is the repository as a whole."""
    found = _fit(_SOME_VERSIONS, name)
    prefix = _name_before(found) if found else None
    if _is_generic(prefix) or str(prefix).lower() == repository.rpartition("/")[2].lower():
        return None
    return prefix


def environment_of(name: str) -> str | None:
    """The environment that a tag's name tells, other than production; None if it tells none."""
    place = _place_of(name)
    return place if place in _STAGES else None


def _place_of(name: str) -> str | None:
    """The last word before a version, in lower case, if it is one for an environment."""
    found = _fit(_SOME_VERSIONS, name)
    place = _PART.split(found["prefix"])[-1].lower() if found and found["prefix"] else None
    return place if place in _STAGES | _PRODUCTION else None


def _without_place(name: str) -> str:
    place = _place_of(name)
    return name if place is None else re.sub(rf"{place}[-_/@]", "", name, flags=re.IGNORECASE)


def _name_before(found: re.Match[str]) -> str | None:
    """The name before a version, without the environment that it may end in."""
    prefix: str | None = found["prefix"]
    if prefix is None or _place_of(found[0]) is None:
        return prefix
    parts = _PART.split(prefix)
    return prefix[: -len(parts[-1]) - 1] or None


def _fit(expressions: Iterable[re.Pattern[str]], name: str) -> re.Match[str] | None:
    if len(name) > _LONGEST:
        return None
    return next(filter(None, (one.fullmatch(name) for one in expressions)), None)


def _is_generic(prefix: str | None) -> bool:
    return prefix is None or prefix.lower() in _GENERIC
