"""The order of versions: which of two is the higher, where both are numbered alike (rule D4)."""

import re
from functools import lru_cache
from typing import Final, NamedTuple

# Python reads no longer numbers: https://docs.python.org/3/library/sys.html#sys.set_int_max_str_digits
_LONGEST: Final = 255
_NUMBER: Final = re.compile(r"[0-9]+")
_SHA: Final = re.compile(r"(?=.*[a-f])[0-9a-f]{7,64}")


class NumberedVersion(NamedTuple):
    """The numbers of a version, and what stands around them: its numbering."""

    numbering: tuple[str, ...]
    numbers: tuple[int, ...]


@lru_cache(maxsize=10_000)
def number_version(version: str | None) -> NumberedVersion | None:
    """The numbers in a version; None where it has none, as a word or a commit's sha.

    Those of `1.6.0` and of `v1.6.0` are not numbered alike, nor is `1.6`.
    """
    if version is None or len(version) > _LONGEST or _SHA.fullmatch(version):
        return None
    numbers = tuple(map(int, _NUMBER.findall(version)))
    return NumberedVersion(tuple(_NUMBER.split(version)), numbers) if numbers else None


def compare_versions(version: str | None, other: str | None) -> int | None:
    """1 if a version is higher than another, 0 if the same, -1 if lower; None if nobody can say."""
    one, two = number_version(version), number_version(other)
    if one is None or two is None or one.numbering != two.numbering:
        return None
    return (one.numbers > two.numbers) - (one.numbers < two.numbers)
