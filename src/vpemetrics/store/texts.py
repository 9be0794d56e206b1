"""Texts as every database can hold them."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

HIDDEN: Final = "h:"
"""The mark before the keyed hash that stands for an author."""


def clean(text: str) -> str:
    """The text without what a database cannot hold (NUL, half a surrogate pair)."""
    # https://www.postgresql.org/docs/current/datatype-character.html
    if "\0" in text:
        text = text.replace("\0", "")
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode()
    return str(text)


def clean_texts(texts: Sequence[Any]) -> Sequence[Any]:
    """Texts as a database can hold them; nearly always they are as they are."""
    together = "".join(filter(None, texts))
    if together.isascii() and "\0" not in together:
        return [text or None for text in texts]
    return [clean(text) or None if text else None for text in texts]


def list_text(values: Iterable[str]) -> str:
    """A list of texts as it is stored."""
    items = [item for item in map(clean, values) if item]
    return json.dumps(items, ensure_ascii=False, separators=(",", ":"))
