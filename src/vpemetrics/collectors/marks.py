"""Marks: the tools that trailers of a message name, kept as their names (rule C7)."""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final

from vpemetrics.agents import AGENTS
from vpemetrics.collectors.authors import agent_test

MarksOf = Callable[[str], tuple[str, ...]]
"""The tools that a message's trailers name, in alphabetical order."""

_MOST: Final = 65_536
_HINTS: Final = ("-by:", "-By:", "-BY:", "-with:", "-With:")
# https://git-scm.com/docs/git-interpret-trailers; squashes have them between paragraphs too.
_TRAILER: Final = re.compile(
    r"^(?P<key>co-authored-by|assisted-by|generated-by|made-with):[ \t]*(?P<value>[^\n]{1,200})",
    re.IGNORECASE | re.MULTILINE,
)
_ADDRESS: Final = re.compile(r"[^\s<>:]{1,100}@[^\s<>]{1,100}")
_WORDS: Final = {
    tool: re.compile(rf"(?<![\w-]){re.escape(tool)}(?![\w-])", re.IGNORECASE) for tool in AGENTS
}


@lru_cache(maxsize=16)
def mark_test(agents: tuple[str, ...] = ()) -> MarksOf:
    """The reader of trailers, which knows the agents of our list and of further patterns.

    In `Co-authored-by` a tool is told by address, login or bot account alone, for people have the
    names of tools; so it is wherever there is an address. Else its name as whole words counts.
    """
    agent_of = agent_test(agents)

    def tools(key: str, value: str) -> Iterable[str | None]:
        address = _ADDRESS.search(value)
        name = value[: address.start()] if address else value
        yield agent_of(name.strip(" <\t\r"))
        if address:
            yield agent_of(address[0])
        elif key.lower() != "co-authored-by":
            yield from (tool for tool, words in _WORDS.items() if words.search(value))

    def marks_of(message: str) -> tuple[str, ...]:
        if not any(hint in message for hint in _HINTS):
            return ()
        found = _TRAILER.finditer(message[:_MOST])
        named = {tool for each in found for tool in tools(each["key"], each["value"])}
        return tuple(sorted(filter(None, named)))

    return marks_of


MARKS_OF: Final = mark_test()
"""The reader that knows the agents of our list."""
