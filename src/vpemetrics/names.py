"""Names as people and registries give them: the nearest valid one, the first few, loading."""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from importlib import import_module
from typing import Any, Final
from zoneinfo import available_timezones

_BETWEEN_WORDS: Final = re.compile(r"[-_./\s]+")


def nearest(name: object, names: Iterable[str]) -> str | None:
    """The one of `names` most like this one; None if none resembles it."""
    close = nearest_few(name, names, most=1) if isinstance(name, str) else []
    return close[0] if close else None


def nearest_few(
    name: str, names: Iterable[str], *, most: int = 3, likeness: float = 0.6
) -> list[str]:
    """The names most like this one, the nearest first; case, `-`, `_` and blanks do not matter."""
    folded = {fold(known): known for known in names}
    return [folded[close] for close in get_close_matches(fold(name), folded, most, likeness)]


def nearest_zone(name: str) -> str | None:
    """The time zone most like this one, also if only its city was given."""
    zones = sorted(available_timezones())
    cities = {zone.rpartition("/")[2]: zone for zone in zones if "/" in zone}
    city = nearest(name, cities)
    return nearest(name, zones) or (cities[city] if city else None)


def name_key(name: str) -> str:
    """The text that is the same for all spellings of one name: case and outer spaces do not count.

    So are services, environments, repositories and teams compared (rule D7).
    """
    return name.strip().casefold()


def near_name_key(name: str) -> str:
    """The text that is the same for names without `-`, `_`, `.`, `/` and spaces."""
    return _BETWEEN_WORDS.sub("", name_key(name))


def near_names(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Names that nearly are one, together, in order."""
    together: dict[str, list[str]] = {}
    for name in sorted(set(names)):
        together.setdefault(near_name_key(name), []).append(name)
    return [tuple(group) for key, group in together.items() if key and len(group) > 1]


def spellings(names: Iterable[str]) -> dict[str, str]:
    """The spelling in which each name is shown, by its key: of several that with small letters.

    It is the same in whichever order they come.
    """
    return {name_key(name): name for name in sorted(name.strip() for name in names)}


def fold(name: str) -> str:
    """The name in the one spelling in which the nearest one is looked for."""
    return name.casefold().replace("-", "_").replace(" ", "_")


def first_few(
    names: Sequence[str], most: int, *, between: str = ", ", rest: str = " and {} more"
) -> str:
    """The first few of names, and how many more there are, as `a, b and 3 more`."""
    more = len(names) - most
    return between.join(names[:most]) + (rest.format(more) if more > 0 else "")


def load(place: str) -> Any:
    """The object that a registry names as `module:attribute`; its module is imported now."""
    module, attribute = place.split(":")
    return getattr(import_module(module), attribute)
