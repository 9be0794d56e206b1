"""Characters that steer a terminal, turn text round, or hide in it: made visible on the way out."""

import unicodedata
from collections.abc import Iterator
from typing import Final

_LINE: Final = "\n\t"
_SEPARATORS: Final = ("Zl", "Zp")

# Letters and marks that are drawn as nothing: those among the default ignorable code points.
# https://www.unicode.org/Public/UCD/latest/ucd/DerivedCoreProperties.txt
_DRAWN_AS_NOTHING: Final = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0"
)


def is_shown(character: str) -> bool:
    """Tell whether a character is one to be seen: no control, format, or unassigned one."""
    category = unicodedata.category(character)
    return category[0] != "C" and category not in _SEPARATORS and character not in _DRAWN_AS_NOTHING


def reveal(text: str) -> str:
    r"""The text with hidden characters written `\u001b` and the like; lines and tabs stay.

    That is how JSON writes them too, so a document of JSON says the same afterwards.
    """
    hidden = {ord(character): _written(character) for character in _hidden_in(text)}
    return text.translate(hidden) if hidden else text


def reveal_line(text: str) -> str:
    r"""The text on one line: as `reveal` has it, and a line break written `\u000a`.

    So nothing that a name from elsewhere holds looks like a line of ours.
    """
    return reveal(text).replace("\n", _written("\n"))


def remove_hidden(text: str) -> str:
    """The text without hidden characters, for whom what was there says nothing."""
    hidden = dict.fromkeys(map(ord, _hidden_in(text)))
    return text.translate(hidden) if hidden else text


def _hidden_in(text: str) -> Iterator[str]:
    return (
        character for character in set(text) if character not in _LINE and not is_shown(character)
    )


def _written(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
