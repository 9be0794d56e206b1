"""Titles of commits and pull requests that do nothing but make a release: they name its version."""

import re
from functools import lru_cache
from typing import Any, Final

# Longer than any, and no more than can be looked for in a title.
_LONGEST: Final = 100
_DIGITS: Final = re.compile(r"\d+")
_VERSION: Final = re.compile(r"(?:.*[^\d._-])??[._-]*(?P<numbers>\d+(?:[._-]\d+)*)(?P<rest>.*)")


def names_version(title: str | None, version: str | None) -> bool:
    """Tell whether a title names a version, as `Release 1.2.3` does the tag `v1.2.3` (rule C5).

    With or without the name before it, with dots or underscores, but whole: not `1.2.3` for
    `1.2.3-rc1`. Of a single number the word before it has to be there too: `v41`, not `41`.
    """
    if not title or not version or not all(part in title for part in _DIGITS.findall(version)):
        return False
    expression = _expression(version)
    return expression is not None and expression.search(title) is not None


def tag_fields(version: str | None, title: str | None) -> dict[str, Any]:
    """The fields of a deployment of a tag, if `version` is one, on a commit of this title.

    The moment of such a deployment is its own, and not that of its commit.
    """
    if not version:
        return {"version": version}
    release_commit = names_version(title, version)
    return {"version": version, "light_tag": False, "release_commit": release_commit}


@lru_cache(maxsize=10_000)
def _expression(version: str) -> re.Pattern[str] | None:
    found = _VERSION.fullmatch(version) if len(version) <= _LONGEST else None
    if found is None:
        return None
    numbers = re.split(r"[._-]", found["numbers"])
    core = r"[._-]".join(numbers) if len(numbers) > 1 else _with_letters(version, found)
    rest = re.escape(found["rest"])
    return re.compile(rf"(?<![\w.#!])v?{core}{rest}(?![\w+]|[._-]\w)", re.IGNORECASE)


def _with_letters(version: str, found: re.Match[str]) -> str:
    """A single number with the word before it."""
    return re.escape(version[: found.start("rest")])
