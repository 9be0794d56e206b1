"""Answers a parsed GraphQL document from resolvers, with errors worded as GitHub words them."""

from collections.abc import Callable, Mapping
from typing import Any

# typename → field → function(object, arguments) → scalar, object, list or None. Scalars are
# ready for JSON (times are ISO texts). An object names its type in the class attribute TYPENAME
# and the interfaces and unions it belongs to in INTERFACES, where a fragment asks for those. The
# root object is the world, its type Query. Connections are objects like every other.
Fields = Mapping[str, Mapping[str, Callable[[Any, Mapping[str, Any]], Any]]]


class Refused(Exception):
    """What a resolver raises, or puts in a list in an item's place: null there, and an error.

    The kind is GitHub's error type: NOT_FOUND, FORBIDDEN…; `extensions` go out with it.
    """

    def __init__(self, kind: str, message: str, **extensions: Any) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.extensions = extensions
