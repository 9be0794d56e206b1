"""The valid name that was probably meant."""

from collections.abc import Iterable
from difflib import get_close_matches
from zoneinfo import available_timezones


def nearest(name: object, names: Iterable[str]) -> str | None:
    """The one of `names` most like this one; None if none resembles it."""
    if not isinstance(name, str):
        return None
    folded = {_folded(known): known for known in names}
    close = get_close_matches(_folded(name), folded, n=1, cutoff=0.6)
    return folded[close[0]] if close else None


def nearest_zone(name: str) -> str | None:
    """The time zone most like this one, also if only its city was given."""
    zones = sorted(available_timezones())
    cities = {zone.rpartition("/")[2]: zone for zone in zones if "/" in zone}
    city = nearest(name, cities)
    return nearest(name, zones) or (cities[city] if city else None)


def _folded(name: str) -> str:
    return name.casefold().replace("-", "_").replace(" ", "_")
