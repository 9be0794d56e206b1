"""The largest size of an answer, as settings write it: `64MiB`."""

import re
from typing import Final

MOST_BYTES: Final = 64 * 2**20
"""The largest body of an answer, once it is unpacked, where settings do not say otherwise."""

_UNITS: Final = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_SIZE: Final = re.compile(r"(\d{1,4}) ?(KiB|MiB|GiB)")


def parse_size(text: str) -> int:
    """Return the bytes that a size is; ValueError if it is none."""
    found = _SIZE.fullmatch(text)
    if found is None or not int(found[1]):
        raise ValueError('max_answer is a size such as "64MiB" or "1GiB"')
    return int(found[1]) * _UNITS[found[2]]


def size_text(size: int) -> str:
    """Return a size as people write it, in the largest unit that it is a whole number of."""
    fitting = [(unit, of) for unit, of in _UNITS.items() if size % of == 0]
    unit, of = fitting[-1] if fitting else ("bytes", 1)
    return f"{size // of} {unit}"
