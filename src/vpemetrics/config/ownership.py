"""The owners that repositories name: CODEOWNERS and Backstage's catalog-info.yaml.

Only teams count: a person is nobody a figure could belong to (rules G3 and D6).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml

from vpemetrics.patterns import EndlessPattern, Pattern

_TEAM: Final = re.compile(r"@[^/\s]+/(?P<team>[^/\s]+)")
_WORDS: Final = re.compile(r"(?:\\.|\S)+")
_OWNER: Final = re.compile(r"(?:(?P<kind>[^:/]+):)?(?:[^:/]+/)?(?P<name>[^:/]+)")
_SLUG: Final = "github.com/project-slug"
_ANYTHING: Final = "a file of this name should be in no list"
_WILD: Final = {"**/": "(?:.*/)?", "/**": "/.+", "**": ".*", "*": "[^/]*", "?": "[^/]"}
_PARTS: Final = re.compile(r"\*\*/|/\*\*$|\*\*|\*|\?|\\.|.", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class OwnersLine:
    """A line of CODEOWNERS: which paths, and their owners as they are written there."""

    pattern: str
    owners: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Component:
    """A component of Backstage: what it is called, where its code is, and its team."""

    name: str
    repository: str | None
    team: str | None


def parse_codeowners(text: str) -> tuple[OwnersLine, ...]:
    """The lines that GitHub would heed: it passes over `!` and `[`, and so do we.

    https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
    """
    return tuple(_lines(text))


def teams_of(path: str, lines: Sequence[OwnersLine]) -> tuple[str, ...]:
    """The teams that own a path: those of the last line that fits it; none if it names none."""
    for line in reversed(lines):
        if _fits(line.pattern, path):
            return _teams(line.owners)
    return ()


def teams_of_all(lines: Sequence[OwnersLine]) -> tuple[str, ...]:
    """The teams that own whatever nothing more special is said of: the whole repository's."""
    return teams_of(_ANYTHING, lines)


def parse_catalog(text: str) -> tuple[Component, ...]:
    """The components that a catalog-info.yaml describes; nothing of one that cannot be read.

    https://backstage.io/docs/features/software-catalog/descriptor-format
    """
    try:
        documents = list(yaml.safe_load_all(text))
    except (yaml.YAMLError, ValueError, RecursionError):
        return ()
    return tuple(
        _component(document)
        for document in documents
        if isinstance(document, dict)
        and document.get("kind") == "Component"
        and isinstance(_table(document, "metadata").get("name"), str)
    )


def _lines(text: str) -> Iterator[OwnersLine]:
    for written in text.splitlines():
        words: list[str] = _WORDS.findall(written.split(" #")[0].strip())
        if words and words[0][0] not in "#!" and "[" not in words[0]:
            yield OwnersLine(pattern=words[0], owners=tuple(words[1:]))


def _teams(owners: Sequence[str]) -> tuple[str, ...]:
    matches = (_TEAM.fullmatch(owner) for owner in owners)
    return tuple(match["team"] for match in matches if match)


def _fits(pattern: str, path: str) -> bool:
    """Tell whether a pattern fits a path, by GitHub's own rules, which differ from git's.

    A pattern with a slash before its end starts at the root. One that fits a folder fits all in
    it, but one that ends in `/*` fits no deeper than it says.
    """
    inner = pattern.strip("/")
    start = "" if "/" in pattern.rstrip("/") else "(?:.*/)?"
    body = "".join(_part(found) for found in _PARTS.findall(inner))
    end = "/.+" if pattern.endswith("/") else "" if pattern.endswith("/*") else "(?:/.+)?"
    try:
        return Pattern("CODEOWNERS", start + body + end).fit(path) is not None
    except (EndlessPattern, ValueError):  # a line that is there to keep others waiting
        return False


def _part(text: str) -> str:
    if text in _WILD:
        return _WILD[text]
    return re.escape(text.removeprefix("\\") or text)


def _component(told: Mapping[str, Any]) -> Component:
    metadata = _table(told, "metadata")
    slug = _table(metadata, "annotations").get(_SLUG)
    return Component(
        name=metadata["name"],
        repository=slug if isinstance(slug, str) and slug.count("/") == 1 else None,
        team=_team(_table(told, "spec").get("owner")),
    )


def _team(owner: object) -> str | None:
    """The team that an entity reference names, as in `payments` or `group:default/payments`."""
    found = _OWNER.fullmatch(owner.strip()) if isinstance(owner, str) else None
    if found is None or (found["kind"] or "group").lower() != "group":
        return None
    return found["name"]


def _table(told: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = told.get(key)
    return value if isinstance(value, dict) else {}
