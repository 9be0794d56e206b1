"""Queries read, checked and run by graphql-core, with errors in GitHub's form."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

from graphql import (
    DocumentNode,
    Executor,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLObjectType,
    Node,
    OperationDefinitionNode,
    SourceLocation,
    execute_sync,
    get_location,
    get_variable_values,
    parse,
    validate,
)
from graphql.execution.collect_fields import GroupedFieldSet
from graphql.pyutils import Path

from github_server.refusal import Refused
from github_server.schema import schema, simple_fields, type_of
from github_server.world import World


class Invalid(Exception):
    """The query cannot be run; `error` is what the answer's `errors` tell."""

    def __init__(self, message: str, places: Iterable[SourceLocation] = (), **more: Any) -> None:
        super().__init__(message)
        self.error = {**more, "locations": _located(places), "message": message}


@dataclass(frozen=True, kw_only=True)
class Query:
    """A query with values for its variables: those `given`, and `values` with defaults."""

    document: DocumentNode
    operation: OperationDefinitionNode
    fragments: Mapping[str, FragmentDefinitionNode]
    given: dict[str, Any]
    values: dict[str, Any]

    @classmethod
    def of(
        cls, document: DocumentNode, given: Mapping[str, Any] | None, name: str | None = None
    ) -> Self:
        """Take a document's operation of that name, or its only one.

        Raises Invalid where there is none or the values do not fit.
        """
        operation, given = _operation(document, name), dict(given or {})
        values = get_variable_values(schema(), operation.variable_definitions or (), given)
        if isinstance(values, list):
            raise _invalid(values[0])
        fragments = {
            node.name.value: node
            for node in document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }
        return cls(
            document=document,
            operation=operation,
            fragments=fragments,
            given=given,
            values=values.coerced,
        )


def read_query(text: str, given: Mapping[str, Any] | None = None, name: str | None = None) -> Query:
    """Read a query that the schema allows; Invalid for every other."""
    checked = _checked(text)
    if isinstance(checked, GraphQLError):
        raise _invalid(checked)
    return Query.of(checked, given, name)


class QuickExecutor(Executor[None]):
    """Answers simple fields, most of all, without the machinery that every other field needs.

    It trusts the resolvers where graphql-core looks what they give; a test holds that both
    answer alike.
    """

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        grouped_field_set: GroupedFieldSet,
        position_context: None,
    ) -> dict[str, Any]:
        """Answer the fields of one object."""
        name, answer = parent_type.name, dict[str, Any]()
        simple = simple_fields().get(name, {})
        for key, details in grouped_field_set.items():
            field = details[0].node.name.value
            if field in simple:
                resolve, kind = simple[field]
                value = resolve(source_value, None)
                if kind and value is not None:
                    value = self.collect_and_execute_subfields(
                        kind, details, Path(path, key, name), value, None
                    )
                answer[key] = value
            elif field == "__typename":
                answer[key] = name
            else:
                answer[key] = self.execute_field(
                    parent_type, source_value, details, Path(path, key, name), None
                )
        return answer


def execute(
    query: Query,
    world: World,
    rate_limit: object = None,
    *,
    executor: type[Executor[None]] = QuickExecutor,
) -> dict[str, Any]:
    """Return the answer's body: `data`, and `errors` if there are any."""
    result = execute_sync(
        schema(),
        query.document,
        world,
        rate_limit,
        query.given,
        query.operation.name.value if query.operation.name else None,
        type_resolver=type_of,
        executor_class=executor,
    )
    answer: dict[str, Any] = {"data": result.data}
    if result.errors:
        answer["errors"] = [_in_github_form(error) for error in result.errors]
    return answer


def place_of(node: Node) -> SourceLocation:
    """Return where a part of a query stands in its text."""
    if node.loc is None:
        raise ValueError("the query was parsed without its places")
    return get_location(node.loc.source, node.loc.start)


@lru_cache(maxsize=256)
def _checked(text: str) -> DocumentNode | GraphQLError:
    """The document, or the first thing that is wrong with it."""
    try:
        document = parse(text)
    except GraphQLError as error:
        return error
    mistakes = validate(schema(), document, max_errors=1)
    return mistakes[0] if mistakes else document


def _operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    found = [
        node
        for node in document.definitions
        if isinstance(node, OperationDefinitionNode)
        and (name is None or (node.name is not None and node.name.value == name))
    ]
    if not found:
        raise Invalid(f'No operation named "{name}"')
    if len(found) > 1:
        raise Invalid("An operation name is required")
    return found[0]


def _invalid(error: GraphQLError) -> Invalid:
    return Invalid(error.message, error.locations or ())


def _in_github_form(error: GraphQLError) -> dict[str, Any]:
    """The error as GitHub tells it; whatever is no refusal is a mistake of ours, and raised."""
    refusal = error.original_error
    if not isinstance(refusal, Refused):
        raise AssertionError(f"{error.message} at {error.path}") from refusal
    form: dict[str, Any] = {"type": refusal.kind, "path": error.path}
    if refusal.details:
        form["extensions"] = refusal.details
    return {**form, "locations": _located(error.locations or ()), "message": refusal.message}


def _located(places: Iterable[SourceLocation]) -> list[dict[str, int]]:
    return [{"line": place.line, "column": place.column} for place in places]
