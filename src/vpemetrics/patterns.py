"""Regular expressions that people write, told in a time that does not depend on them.

They are those of the package regex: https://github.com/mrabarnett/mrab-regex
"""

import re
from collections.abc import Mapping
from math import prod
from typing import Any, Final

from vpemetrics.errors import FixConfiguration

_PATIENCE_S: Final = 1.0
# The longest path of most systems. What is longer is no name that anybody is after, and would
# make even a good expression slow.
_LONGEST: Final = 4096
_SHOWN: Final = 60
_COUNTED: Final = re.compile(r"\{(\d{0,9}),?(\d{0,9})\}")
_MOST_REPEATS: Final = 100_000


class EndlessPattern(FixConfiguration):
    """An expression takes too long for a text, as it can be fitted in too many ways."""

    def __init__(self, key: str, pattern: str, text: str) -> None:
        super().__init__(
            f"{key}: {_short(pattern)} takes more than a second for {_short(text)}, as it can be "
            "fitted in too many ways; write it with fewer * and + that may stand for the same "
            "letters"
        )
        self.key = key


class Pattern:
    """A regular expression that stands at a key of the configuration."""

    def __init__(self, key: str, text: str) -> None:
        """ValueError if the text is none."""
        # It takes a while to import, and few configurations have one.
        import regex

        self._key = key
        self._text = text
        if len(text) > _LONGEST or _repeats(text) > _MOST_REPEATS:
            raise ValueError(f"{key} is too large: {_short(text)} stands for more than is written")
        try:
            self._compiled: regex.Pattern[str] = regex.compile(text)
        except regex.error as error:
            raise ValueError(f"{key} is no regular expression: {error}") from None
        except RecursionError:
            raise ValueError(f"{key} is nested too deeply: {_short(text)}") from None

    @property
    def names(self) -> frozenset[str]:
        """The names of its groups."""
        return frozenset(self._compiled.groupindex)

    def fit(self, text: str) -> Mapping[str, str | None] | None:
        """The named groups where it fits all of a text; None where it does not."""
        if len(text) > _LONGEST:
            return None
        try:
            found = self._compiled.fullmatch(text, timeout=_PATIENCE_S)
        except TimeoutError:
            raise EndlessPattern(self._key, self._text, text) from None
        return found.groupdict() if found else None

    def search(self, text: str) -> Any:
        """The first match, as `re.Pattern.search` gives it."""
        try:
            return self._compiled.search(text, timeout=_PATIENCE_S)
        except TimeoutError:
            raise EndlessPattern(self._key, self._text, text) from None

    match = search  # where a library calls it so, its expressions begin with ^


def _repeats(text: str) -> int:
    """The number of times the innermost of counted repeats stands if each is in the one before.

    A repeat is written out before anything is matched, and so takes memory.
    """
    return prod(int(most or least or 1) or 1 for least, most in _COUNTED.findall(text))


def _short(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…")
