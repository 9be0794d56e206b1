"""Versions in YAML files: where they stand, and what of an image's name is the version.

A place is a path such as `image.tag`, `spec.containers[0].image` or `images[name=web].newTag`.
`{service}` or `{environment}` instead of a key, or of what a key has to be equal to, fits
anything and names it: `{service}.image.tag`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple

import yaml

NAMES: Final = ("service", "version", "environment")

_STEP: Final = re.compile(
    r"\.?(?P<key>[^.\[\]=]+)|\[(?P<number>\d+)\]|\[(?P<where>[^\[\]=]+)=(?P<equal>[^\[\]=]+)\]"
)
_PLACEHOLDER: Final = re.compile(r"\{(service|environment)\}")
_MOST: Final = 10_000
_NOTHING: Final = ("", "~", "null", "Null", "NULL")
# All scalars stay the text they are: version 1.10 is not the number 1.1.
_LOADER: Final[type[Any]] = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


class PathStep(NamedTuple):
    """One step into a document: a key, a number, or the items whose key `where` equals `key`."""

    key: str
    number: int | None = None
    where: str | None = None

    @property
    def placeholder(self) -> str | None:
        """The field that the step names, if it fits anything."""
        found = _PLACEHOLDER.fullmatch(self.key)
        return found[1] if found else None


class FoundVersion(NamedTuple):
    """A version, and what its place in the document names."""

    names: Mapping[str, str]
    version: str


def parse_place(text: str) -> tuple[PathStep, ...]:
    """The steps of a path; ValueError if it is none."""
    steps, at = list[PathStep](), 0
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None:
            raise ValueError(f"value is no path into YAML from {text[at:]!r} on")
        number, where = found["number"], found["where"]
        key = found["equal"] if where else found["key"] or ""
        steps.append(PathStep(key, None if number is None else int(number), where))
        at = found.end()
    return tuple(steps)


def names_of(steps: Sequence[PathStep]) -> set[str]:
    """The fields that a place names."""
    return {step.placeholder for step in steps if step.placeholder}


class Unreadable(ValueError):
    """A file in which no versions can be looked for; the text says why."""


def versions(text: str, steps: Sequence[PathStep]) -> list[FoundVersion]:
    """The versions in a YAML file at a place; Unreadable if it is none that can be read."""
    try:
        reached = [
            reached
            for document in yaml.load_all(text, _LOADER)
            for reached in islice(_reach(document, steps, {}), _MOST + 1)
        ]
    except yaml.YAMLError:
        raise Unreadable("is no YAML") from None
    except RecursionError:
        raise Unreadable("is nested too deeply") from None
    if len(reached) > _MOST:  # names that stand for each other are more than any file is long
        raise Unreadable(f"names more than {_MOST:,} versions")
    return [
        FoundVersion(names, version)
        for names, value in reached
        if isinstance(value, str) and (version := version_of(value))
    ]


def version_of(value: str) -> str | None:
    """The version that a value is: of an image's name the tag, else its digest."""
    if value in _NOTHING or re.search(r"\s", value):
        return None
    name, _, digest = value.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    is_image = bool(tag or digest) or "/" in name
    return (tag or digest or None) if is_image else value


def _reach(
    node: object, steps: Sequence[PathStep], names: Mapping[str, str]
) -> Iterator[tuple[Mapping[str, str], object]]:
    if not steps:
        yield names, node
        return
    for more, inner in islice(_enter(node, steps[0]), _MOST):
        yield from _reach(inner, steps[1:], {**names, **more})


def _enter(node: object, step: PathStep) -> Iterator[tuple[Mapping[str, str], object]]:
    """Yield what one step leads to, each with what it names."""
    if step.number is not None:
        if isinstance(node, list) and step.number < len(node):
            yield {}, node[step.number]
    elif step.where is not None:
        items = node if isinstance(node, list) else []
        for item in items:
            if isinstance(item, dict) and isinstance(key := item.get(step.where), str):
                yield from _if_fits(step, key, item)
    elif isinstance(node, dict):
        for key, inner in node.items():
            if isinstance(key, str):
                yield from _if_fits(step, key, inner)


def _if_fits(step: PathStep, key: str, inner: object) -> Iterator[tuple[Mapping[str, str], object]]:
    if step.placeholder:
        yield {step.placeholder: key}, inner
    elif step.key == key:
        yield {}, inner
