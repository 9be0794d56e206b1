"""The schema that queries are read on, and what answers each of its fields."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

from graphql import (
    GraphQLField,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    build_schema,
    get_nullable_type,
    is_leaf_type,
)

from github_server.fields import RESOLVERS, Resolver
from github_server.things import timestamp

TEXT: Final = Path(__file__).with_name("schema.graphql")
MOMENTS: Final = ("DateTime", "GitTimestamp")


@cache
def schema() -> GraphQLSchema:
    """Build the schema, once."""
    built = build_schema(TEXT.read_text(encoding="utf-8"))
    for name in MOMENTS:
        kind = built.type_map[name]
        if isinstance(kind, GraphQLScalarType):
            kind.coerce_output_value = timestamp
    for kind in _objects(built):
        own = RESOLVERS.get(kind.name, {})
        for name, field in kind.fields.items():
            field.resolve = own.get(name) or _attribute(name)
    return built


@cache
def simple_fields() -> Mapping[str, Mapping[str, tuple[Resolver, GraphQLObjectType | None]]]:
    """List the fields without arguments that give a scalar or one object, by type and field.

    Beside what resolves it stands the object's type; scalars are ready for JSON. The fields of a
    query itself are not among them: they may look at the query.
    """
    return {
        kind.name: {name: found for name, field in kind.fields.items() if (found := _simple(field))}
        for kind in _objects(schema())
        if kind is not schema().query_type
    }


def type_of(value: Any, *_: Any) -> str:
    """Return the name of a value's type, where the schema allows several."""
    return str(value.TYPENAME)


def _objects(of: GraphQLSchema) -> Iterator[GraphQLObjectType]:
    for kind in of.type_map.values():
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__"):
            yield kind


def _attribute(name: str) -> Resolver:
    get = attrgetter(re.sub(r"(?=[A-Z])", "_", name).lower())
    return lambda one, _info: get(one)


def _simple(field: GraphQLField) -> tuple[Resolver, GraphQLObjectType | None] | None:
    kind, resolve = get_nullable_type(field.type), field.resolve
    if field.args or resolve is None:
        return None
    if isinstance(kind, GraphQLObjectType):
        return resolve, kind
    if is_leaf_type(kind):
        return _dated(resolve) if kind.name in MOMENTS else resolve, None
    return None


def _dated(resolve: Resolver) -> Resolver:
    return lambda one, info: timestamp(resolve(one, info))
