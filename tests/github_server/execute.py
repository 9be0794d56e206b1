"""Answers a query from resolvers, with errors worded as GitHub words them.

There is no schema: what exists is what has a resolver. Non-null types are therefore not known,
and what is refused is null in its own place; refuse only where GitHub's schema allows a null.
"""

from collections.abc import Callable, Mapping
from typing import Any, cast

from github_server.language import Field, Fragment, Inline, Place, Selection
from github_server.query import Invalid, Query, located

# typename → field → function(object, arguments) → scalar, object, list or None. Scalars are
# ready for JSON (times are ISO texts). An object names its type in the attribute TYPENAME, and
# the interfaces and unions it belongs to in INTERFACES, where a fragment may ask for those. The
# root object is the world, its type Query. Connections are objects like every other.
Resolver = Callable[[Any, Mapping[str, Any]], Any]
Fields = Mapping[str, Mapping[str, Resolver]]
Path = tuple[Any, ...]  # (path of the parent, key), or () at the root: cheaper than growing tuples

PLAIN = frozenset({str, int, float, bool, type(None)})


class Refused(Exception):
    """What a resolver raises, or puts in a list in an item's place: null there, and an error.

    The kind is GitHub's error type: NOT_FOUND, FORBIDDEN…; `extensions` go out with it.
    """

    def __init__(self, kind: str, message: str, **extensions: Any) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.extensions = extensions


def execute(query: Query, fields: Fields, root: Any) -> dict[str, Any]:
    """The answer's body: `data`, and `errors` if there are any; no data for what is invalid."""
    execution = _Execution(query, fields)
    try:
        data = execution.run(root)
    except Invalid as invalid:
        return {"errors": [invalid.error]}
    if execution.errors:
        return {"data": data, "errors": execution.errors}
    return {"data": data}


class _Asked:
    """What is asked of one value: fields to be resolved, planned once for every type it has."""

    __slots__ = ("parts", "path", "plans")

    def __init__(self, parts: list[tuple[Selection, ...]], path: tuple[str, ...]) -> None:
        self.parts = parts
        self.path = path
        self.plans: dict[str, list[_Step]] = {}


class _Step:
    """One field to be resolved; nothing is asked of what it gives where it is a scalar."""

    __slots__ = ("arguments", "asked", "field", "key", "resolve")

    def __init__(
        self, field: Field, resolve: Resolver, arguments: dict[str, Any], asked: _Asked | None
    ) -> None:
        self.key = field.key
        self.field = field
        self.resolve = resolve
        self.arguments = arguments
        self.asked = asked


class _Execution:
    """One run of a query, and the errors met on the way."""

    def __init__(self, query: Query, fields: Fields) -> None:
        self.errors: list[dict[str, Any]] = []
        self._query = query
        self._fields = fields

    def run(self, root: Any) -> dict[str, Any]:
        asked = _Asked([self._query.operation.selections], (self._query.called,))
        return self._of_type("Query", root, asked, ())

    def _of_type(self, typename: str, value: Any, asked: _Asked, path: Path) -> dict[str, Any]:
        plan = asked.plans.get(typename)
        if plan is None:
            plan = asked.plans[typename] = self._plan(typename, value, asked)
        answer: dict[str, Any] = {}
        for step in plan:
            try:
                found = step.resolve(value, step.arguments)
            except Refused as refusal:
                found = refusal
            if step.asked is None and type(found) in PLAIN:
                answer[step.key] = found
            else:
                answer[step.key] = self._complete(found, step, (path, step.key))
        return answer

    def _complete(self, found: Any, step: _Step, path: Path) -> Any:
        typename = getattr(found, "TYPENAME", None)
        if typename is not None and step.asked is not None:
            return self._of_type(typename, found, step.asked, path)
        if found is None:
            return None
        if isinstance(found, (list, tuple)):  # quicker than a union of the two
            return [self._complete(item, step, (path, n)) for n, item in enumerate(found)]
        if isinstance(found, Refused):
            return self._refuse(found, step.field.place, path)
        if typename is not None:
            raise _mismatch(
                f"Field must have selections (field '{step.field.name}' returns {typename}"
                f" but has no selections. Did you mean '{step.field.name} {{ ... }}'?)",
                step,
            )
        return self._scalar(found, step)

    def _scalar(self, found: Any, step: _Step) -> Any:
        if step.asked is not None:
            raise _mismatch(
                f"Selections can't be made on scalars (field '{step.field.name}' has selections)",
                step,
            )
        if not isinstance(found, str | int | float):
            raise TypeError(f"{step.field.name} resolves to {found!r}, which is no JSON")
        return found

    def _refuse(self, refusal: Refused, place: Place, path: Path) -> None:
        error: dict[str, Any] = {"type": refusal.kind, "path": _listed(path)}
        if refusal.extensions:
            error["extensions"] = refusal.extensions
        self.errors.append({**error, "locations": located(place), "message": refusal.message})

    def _plan(self, typename: str, value: Any, asked: _Asked) -> list[_Step]:
        kinds = {typename, *getattr(value, "INTERFACES", ())}
        merged: dict[str, list[Field]] = {}
        for selections in asked.parts:
            self._merge(selections, kinds, merged)
        return [self._step(typename, fields, asked.path) for fields in merged.values()]

    def _merge(
        self, selections: tuple[Selection, ...], kinds: set[str], into: dict[str, list[Field]]
    ) -> None:
        """The fields for a value of these types by key, in the order they are asked for."""
        for selection in self._query.unfolded(selections):
            if isinstance(selection, Inline | Fragment):
                if selection.on is None or selection.on in kinds:
                    self._merge(selection.selections, kinds, into)
            else:
                into.setdefault(selection.key, []).append(selection)

    def _step(self, typename: str, fields: list[Field], path: tuple[str, ...]) -> _Step:
        field = fields[0]
        arguments = self._query.arguments(field.arguments)
        for other in fields[1:]:
            if (other.name, self._query.arguments(other.arguments)) != (field.name, arguments):
                raise Invalid(
                    f"Field '{field.key}' has a field conflict: {field.name} or {other.name}?",
                    field.place,
                    other.place,
                    path=list(path),
                    extensions={"code": "fieldConflict", "fieldName": field.key},
                )
        below = (*path, field.key)
        parts = [each.selections for each in fields if each.selections]
        asked = _Asked(parts, below) if parts else None
        return _Step(field, self._resolver(typename, field, below), arguments, asked)

    def _resolver(self, typename: str, field: Field, path: tuple[str, ...]) -> Resolver:
        if field.name == "__typename":
            return lambda _value, _arguments: typename
        resolve = self._fields.get(typename, {}).get(field.name)
        if resolve is None:
            raise Invalid(
                f"Field '{field.name}' doesn't exist on type '{typename}'",
                field.place,
                path=list(path),
                extensions={
                    "code": "undefinedField",
                    "typeName": typename,
                    "fieldName": field.name,
                },
            )
        return resolve


def _mismatch(message: str, step: _Step) -> Invalid:
    extensions = {"code": "selectionMismatch", "nodeName": f"field '{step.field.name}'"}
    return Invalid(message, step.field.place, extensions=extensions)


def _listed(path: Path) -> list[str | int]:
    steps: list[str | int] = []
    while path:
        path, step = cast(tuple[Path, str | int], path)
        steps.append(step)
    return steps[::-1]
