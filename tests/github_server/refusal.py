"""Refusals within a query that GitHub answers otherwise."""

from typing import Any


class Refused(Exception):
    """Raised by a resolver, or put in a list in an item's place: null there, and an error.

    The kind is GitHub's error type: NOT_FOUND, FORBIDDEN…; `extensions` go out with it.
    """

    def __init__(self, kind: str, message: str, **extensions: Any) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.details = extensions
