"""One query as it was sent: a document's operation with values for its variables, and checked.

What needs no knowledge of types is refused here, in the words of GitHub's validator.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from github_server.language import (
    Declaration,
    Directive,
    Document,
    Field,
    Fragment,
    Inline,
    NotGraphQL,
    Operation,
    Place,
    Selection,
    Spread,
    Variable,
    parse,
)

TAKES: Mapping[str, tuple[type, ...]] = {
    "Int": (int,),
    "Float": (int, float),
    "String": (str,),
    "ID": (str, int),
    "Boolean": (bool,),
}


class Invalid(Exception):
    """The query cannot be run; `error` is what the answer's `errors` tell."""

    def __init__(self, message: str, *places: Place, **more: Any) -> None:
        super().__init__(message)
        self.error = {**more, "locations": located(*places), "message": message}


def located(*places: Place) -> list[dict[str, int]]:
    """Places as an error tells them."""
    return [{"line": place.line, "column": place.column} for place in places]


class Query:
    """What is asked for. Raises Invalid where that is no query that could be answered."""

    def __init__(
        self, text: str, variables: Mapping[str, Any] | None = None, name: str | None = None
    ) -> None:
        try:
            self._document = parse(text)
        except NotGraphQL as error:
            raise Invalid(error.message, error.place) from None
        self.operation = _chosen(self._document, name)
        self.called = f"query {self.operation.name}" if self.operation.name else "query"
        _check_use(self._document, self.operation)
        self._values = _values(self.operation, variables or {})

    def arguments(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments with their values; those whose variable was not given are left out."""
        return {name: self._value(value) for name, value in given.items() if self._is_given(value)}

    def wants(self, directives: Iterable[Directive]) -> bool:
        """Whether @include and @skip leave the thing in."""
        for directive in directives:
            holds = self.arguments(directive.arguments).get("if")
            if holds is (directive.name == "skip"):
                return False
        return True

    def unfolded(self, selections: Iterable[Selection]) -> Iterator[Field | Inline | Fragment]:
        """The selections that directives leave in, named fragments themselves for their names."""
        for selection in selections:
            if not self.wants(selection.directives):
                continue
            if isinstance(selection, Spread):
                yield self._document.fragments[selection.name]
            else:
                yield selection

    def _is_given(self, value: Any) -> bool:
        return not isinstance(value, Variable) or value.name in self._values

    def _value(self, value: Any) -> Any:
        if isinstance(value, Variable):
            return self._values.get(value.name)
        if isinstance(value, list):
            return [self._value(item) for item in value]
        if isinstance(value, dict):
            return self.arguments(value)
        return value


def _chosen(document: Document, name: str | None) -> Operation:
    named = [each for each in document.operations if name in (None, each.name)]
    if name is not None and not named:
        raise Invalid(f'No operation named "{name}"')
    if len(named) > 1:
        raise Invalid("An operation name is required")
    return named[0]


def _values(operation: Operation, given: Mapping[str, Any]) -> dict[str, Any]:
    values = {}
    for declared in operation.variables:
        if declared.name in given:
            values[declared.name] = _fitted(declared, declared.type, given[declared.name], ())
        elif declared.default is not None:
            values[declared.name] = declared.default
        elif declared.required:
            raise _unfit(declared, None, (), "Expected value to not be null")
    return values


def _fitted(declared: Declaration, kind: str, value: Any, path: tuple[str | int, ...]) -> Any:
    """The value as its type has it: one item stands for a list of it, and an id is a text."""
    if value is None:
        if kind.endswith("!"):
            raise _unfit(declared, value, path, "Expected value to not be null")
        return None
    kind = kind.removesuffix("!")
    if kind.startswith("["):
        items = value if isinstance(value, list) else [value]
        return [_fitted(declared, kind[1:-1], item, (*path, n)) for n, item in enumerate(items)]
    taken = TAKES.get(kind)
    if taken and (not isinstance(value, taken) or isinstance(value, bool) != (taken == (bool,))):
        raise _unfit(declared, value, path, f"Could not coerce value {value!r} to {kind}")
    return str(value) if kind == "ID" else value


def _unfit(
    declared: Declaration, value: Any, path: tuple[str | int, ...], explanation: str
) -> Invalid:
    return Invalid(
        f"Variable ${declared.name} of type {declared.type} was provided invalid value",
        declared.place,
        extensions={"value": value, "problems": [{"path": list(path), "explanation": explanation}]},
    )


def _check_use(document: Document, operation: Operation) -> None:
    """Every variable that is used is declared, every one declared used; fragments likewise."""
    used: set[str] = set()
    spread: list[str] = []
    _note_use(document, operation.selections, used, spread, ())
    called = operation.name or "anonymous query"
    declared = {each.name: each for each in operation.variables}
    for name in sorted(used - declared.keys()):
        message = f"Variable ${name} is used by {called} but not declared"
        raise Invalid(message, operation.place, extensions={"code": "variableNotDefined"})
    for name in sorted(declared.keys() - used):
        message = f"Variable ${name} is declared by {called} but not used"
        raise Invalid(message, declared[name].place, extensions={"code": "variableNotUsed"})
    if len(document.operations) == 1:
        for name in sorted(document.fragments.keys() - spread):
            message = f"Fragment {name} was defined, but not used"
            raise Invalid(message, extensions={"code": "useAndDefineFragment"})


def _note_use(
    document: Document,
    selections: Iterable[Selection],
    used: set[str],
    spread: list[str],
    within: tuple[str, ...],
) -> None:
    for selection in selections:
        for directive in selection.directives:
            used.update(_variables(directive.arguments))
        if isinstance(selection, Spread):
            spread.append(selection.name)
            inner = _spread(document, selection, within).selections
            _note_use(document, inner, used, spread, (*within, selection.name))
            continue
        if isinstance(selection, Field):
            used.update(_variables(selection.arguments))
        _note_use(document, selection.selections, used, spread, within)


def _spread(document: Document, selection: Spread, within: tuple[str, ...]) -> Fragment:
    if selection.name not in document.fragments:
        message = f"Fragment {selection.name} was used, but not defined"
        raise Invalid(message, selection.place, extensions={"code": "useAndDefineFragment"})
    if selection.name in within:
        message = f"Fragment {selection.name} contains an infinite loop"
        raise Invalid(message, selection.place, extensions={"code": "infiniteLoop"})
    return document.fragments[selection.name]


def _variables(value: Any) -> Iterator[str]:
    if isinstance(value, Variable):
        yield value.name
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _variables(item)
    elif isinstance(value, list):
        for item in value:
            yield from _variables(item)
