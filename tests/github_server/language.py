"""Reads GraphQL documents: the queries of the language, with variables, fragments and directives.

Document ── Operation ── Declaration     a query and the variables that it declares
         │            └─ Selection       Field, Spread (of a named fragment) or Inline (fragment)
         └─ Fragment  ── Selection

Values are Python's own: enums are texts like strings, objects are dictionaries, and a Variable
may stand for any of them. See https://spec.graphql.org/October2021/, sections 2 and appendix B.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeVar

Node = TypeVar("Node")


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where something stands in the text; both numbers start at 1."""

    line: int
    column: int


class NotGraphQL(Exception):
    """The text is no document; the message is worded as GitHub words it."""

    def __init__(self, message: str, place: Place) -> None:
        super().__init__(message)
        self.message = message
        self.place = place


@dataclass(frozen=True, kw_only=True)
class Variable:
    """A variable that stands for a value."""

    name: str


@dataclass(frozen=True, kw_only=True)
class Directive:
    """What follows an @: `include` and `skip` are those that queries use."""

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Field:
    """One field that is asked for; `key` is its alias, or its name where it has none."""

    key: str
    name: str
    arguments: Mapping[str, Any]
    directives: tuple[Directive, ...]
    selections: "tuple[Selection, ...]"
    place: Place


@dataclass(frozen=True, kw_only=True, eq=False)
class Spread:
    """A named fragment, put in here."""

    name: str
    directives: tuple[Directive, ...]
    place: Place


@dataclass(frozen=True, kw_only=True, eq=False)
class Inline:
    """A fragment without a name; `on` is None where it is for every type."""

    on: str | None
    directives: tuple[Directive, ...]
    selections: "tuple[Selection, ...]"


Selection = Field | Spread | Inline


@dataclass(frozen=True, kw_only=True, eq=False)
class Fragment:
    """A named fragment."""

    name: str
    on: str
    selections: tuple[Selection, ...]


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """A variable that a query declares: its type as written, and its default (None if none)."""

    name: str
    type: str
    default: Any = None
    place: Place

    @property
    def required(self) -> bool:
        """Whether it must be given a value."""
        return self.type.endswith("!") and self.default is None


@dataclass(frozen=True, kw_only=True, eq=False)
class Operation:
    """A query; its name is None where it has none."""

    name: str | None
    variables: tuple[Declaration, ...]
    selections: tuple[Selection, ...]
    place: Place


@dataclass(frozen=True, kw_only=True, eq=False)
class Document:
    """A text's queries, and its fragments by name."""

    operations: tuple[Operation, ...]
    fragments: Mapping[str, Fragment] = field(default_factory=dict)


@lru_cache(maxsize=64)
def parse(text: str) -> Document:
    """The document that the text holds.

    Raises NotGraphQL for everything else, mutations and subscriptions among it.
    """
    return _Parser(text).document()


@dataclass(frozen=True, kw_only=True)
class _Token:
    kind: str
    text: str
    place: Place


TOKEN = re.compile(
    r"""
      (?P<ignored> [\s,\ufeff]+ | \#[^\n\r]* )
    | (?P<punctuation> \.\.\. | [!$&()\[\]{}:=@|] )
    | (?P<name> [A-Za-z_][A-Za-z_0-9]* )
    | (?P<float> -?(?:0|[1-9]\d*) (?: \.\d+ (?:[eE][+-]?\d+)? | [eE][+-]?\d+ ) (?![\w.]) )
    | (?P<int> -?(?:0|[1-9]\d*) (?![\w.]) )
    | (?P<block> \"\"\" (?: \\\"\"\" | [^"\\] | \\(?!\"\"\") | \"(?!\"\") )* \"\"\" )
    | (?P<string> " (?: [^"\\\n\r] | \\ (?: ["\\/bfnrt] | u[0-9A-Fa-f]{4} ) )* " )
    """,
    re.VERBOSE,
)
LITERALS = {"true": True, "false": False, "null": None}
# What GitHub calls a token in "Parse error on …".
CALLED = {
    "{": "LCURLY",
    "}": "RCURLY",
    "(": "LPAREN",
    ")": "RPAREN",
    "[": "LBRACKET",
    "]": "RBRACKET",
    ":": "COLON",
    "=": "EQUALS",
    "$": "VAR_SIGN",
    "@": "DIR_SIGN",
    "!": "BANG",
    "|": "PIPE",
    "&": "AMP",
    "...": "ELLIPSIS",
}


def _tokens(text: str) -> Iterator[_Token]:
    at, line, line_starts_at = 0, 1, 0
    while at < len(text):
        place = Place(line=line, column=at - line_starts_at + 1)
        match = TOKEN.match(text, at)
        if match is None:
            raise NotGraphQL(f"Parse error on {text[at]!r} (UNKNOWN_CHAR)", place)
        kind = str(match.lastgroup)
        if kind != "ignored":
            yield _Token(kind=kind, text=match[0], place=place)
        at = match.end()
        if newlines := match[0].count("\n"):
            line += newlines
            line_starts_at = match.start() + match[0].rindex("\n") + 1
    yield _Token(kind="end", text="", place=Place(line=line, column=at - line_starts_at + 1))


class _Parser:
    """Reads tokens from left to right, one ahead."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._next = next(self._tokens)

    def document(self) -> Document:
        operations: list[Operation] = []
        fragments: dict[str, Fragment] = {}
        while self._next.kind != "end" or not operations:
            if self._next.text == "fragment":
                fragment = self._fragment()
                fragments[fragment.name] = fragment
            else:
                operations.append(self._operation())
        return Document(operations=tuple(operations), fragments=fragments)

    def _operation(self) -> Operation:
        place = self._next.place
        if self._next.text == "{":
            return Operation(name=None, variables=(), selections=self._selections(), place=place)
        self._expect("query")
        name = self._name() if self._next.kind == "name" else None
        variables = self._between("(", self._declaration, ")")
        self._directives()
        return Operation(name=name, variables=variables, selections=self._selections(), place=place)

    def _declaration(self) -> Declaration:
        place = self._next.place
        self._expect("$")
        name = self._name()
        self._expect(":")
        kind = self._type()
        default = self._value(constant=True) if self._took("=") else None
        self._directives()
        return Declaration(name=name, type=kind, default=default, place=place)

    def _type(self) -> str:
        if self._took("["):
            named = f"[{self._type()}]"
            self._expect("]")
        else:
            named = self._name()
        return f"{named}!" if self._took("!") else named

    def _fragment(self) -> Fragment:
        self._expect("fragment")
        name = self._name()
        self._expect("on")
        on = self._name()
        self._directives()
        return Fragment(name=name, on=on, selections=self._selections())

    def _selections(self) -> tuple[Selection, ...]:
        if self._next.text != "{":
            raise self._unexpected()
        return self._between("{", self._selection, "}")

    def _selection(self) -> Selection:
        if self._next.text == "...":
            return self._spread()
        place, key = self._next.place, self._name()
        name = self._name() if self._took(":") else key
        return Field(
            key=key,
            name=name,
            arguments=self._arguments(),
            directives=self._directives(),
            selections=self._selections() if self._next.text == "{" else (),
            place=place,
        )

    def _spread(self) -> Spread | Inline:
        place = self._next.place
        self._expect("...")
        if self._next.kind == "name" and self._next.text != "on":
            return Spread(name=self._name(), directives=self._directives(), place=place)
        on = self._name() if self._took("on") else None
        return Inline(on=on, directives=self._directives(), selections=self._selections())

    def _directives(self) -> tuple[Directive, ...]:
        found = []
        while self._took("@"):
            found.append(Directive(name=self._name(), arguments=self._arguments()))
        return tuple(found)

    def _arguments(self) -> dict[str, Any]:
        return dict(self._between("(", self._pair, ")"))

    def _pair(self, *, constant: bool = False) -> tuple[str, Any]:
        name = self._name()
        self._expect(":")
        return name, self._value(constant=constant)

    def _value(self, *, constant: bool = False) -> Any:
        token = self._next
        if token.text == "$" and not constant:
            self._take()
            return Variable(name=self._name())
        if token.text == "[":
            return list(self._between("[", lambda: self._value(constant=constant), "]", 0))
        if token.text == "{":
            return dict(self._between("{", lambda: self._pair(constant=constant), "}", 0))
        if token.kind not in SCALARS:
            raise self._unexpected()
        self._take()
        return SCALARS[token.kind](token.text)

    def _between(
        self, opening: str, item: Callable[[], Node], closing: str, least: int = 1
    ) -> tuple[Node, ...]:
        """The items between two marks; none where the opening mark does not stand here."""
        if not self._took(opening):
            return ()
        items: list[Node] = []
        while len(items) < least or self._next.text != closing:
            items.append(item())
        self._expect(closing)
        return tuple(items)

    def _name(self) -> str:
        if self._next.kind != "name":
            raise self._unexpected()
        return self._take().text

    def _expect(self, text: str) -> None:
        if not self._took(text):
            raise self._unexpected()

    def _took(self, text: str) -> bool:
        if self._next.text != text:
            return False
        self._take()
        return True

    def _take(self) -> _Token:
        token = self._next
        self._next = next(self._tokens, token)
        return token

    def _unexpected(self) -> NotGraphQL:
        token = self._next
        if token.kind == "end":
            return NotGraphQL("Unexpected end of document", token.place)
        called = CALLED.get(token.text, "IDENTIFIER" if token.kind == "name" else token.kind)
        where = f"[{token.place.line}, {token.place.column}]"
        return NotGraphQL(
            f'Parse error on "{token.text}" ({called.upper()}) at {where}', token.place
        )


def _string(text: str) -> Any:
    return json.loads(text, strict=False)  # its escapes are those of JSON


def _block(text: str) -> str:
    """A block string without the indentation that all its lines have, nor blank lines around."""
    lines = re.split(r"\r\n|[\n\r]", text[3:-3].replace('\\"""', '"""'))
    indents = [len(line) - len(line.lstrip(" \t")) for line in lines[1:] if line.strip(" \t")]
    common = min(indents, default=0)
    lines[1:] = [line[common:] for line in lines[1:]]
    while lines and not lines[0].strip(" \t"):
        del lines[0]
    while lines and not lines[-1].strip(" \t"):
        del lines[-1]
    return "\n".join(lines)


SCALARS: Mapping[str, Callable[[str], Any]] = {
    "int": int,
    "float": float,
    "string": _string,
    "block": _block,
    "name": lambda name: LITERALS.get(name, name),
}
