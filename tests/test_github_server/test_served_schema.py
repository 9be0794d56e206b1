"""Our schema is a part of GitHub's, and what it answers quickly is what graphql-core answers."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from github_schema import mistakes, needs_github_schema, real_schema
from github_server.execution import execute, read_query
from github_server.fields import RESOLVERS
from github_server.schema import schema
from github_server.world import World
from github_world import MONDAY, busy_world
from graphql import (
    Executor,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLUnionType,
)

from vpemetrics.collectors.github.queries import QUERIES

OURS = {name: kind for name, kind in schema().type_map.items() if not name.startswith("__")}


@pytest.mark.slow
@needs_github_schema
@pytest.mark.needs_github_schema
@pytest.mark.parametrize("name", OURS)
def test_a_type_of_ours_is_one_of_githubs(name: str) -> None:
    real = real_schema().type_map[name]

    assert type(real) is type(OURS[name])
    assert parts(OURS[name]) <= parts(real)


def parts(kind: Any) -> set[str]:
    """The parts of a type, as texts: fields with arguments, values, members, interfaces."""
    match kind:
        case GraphQLEnumType():
            return set(kind.values)
        case GraphQLUnionType():
            return {member.name for member in kind.types}
        case GraphQLInputObjectType():
            return {f"{name}: {field.type}" for name, field in kind.fields.items()}
        case GraphQLObjectType() | GraphQLInterfaceType():
            found = {f"{name}: {field.type}" for name, field in kind.fields.items()}
            found |= {
                f"{name}({argument}: {given.type})"
                for name, field in kind.fields.items()
                for argument, given in field.args.items()
            }
            return found | {f"implements {interface.name}" for interface in kind.interfaces}
    return set()


def test_a_resolver_is_of_a_field_there_is() -> None:
    fields = {
        (kind.name, name)
        for kind in OURS.values()
        if isinstance(kind, GraphQLObjectType)
        for name in kind.fields
    }

    assert {(kind, name) for kind, own in RESOLVERS.items() for name in own} <= fields


@pytest.fixture(scope="module")
def world() -> World:
    return busy_world()


def ids(world: World) -> list[str]:
    """A node of every kind that queries ask for, and one that is not there."""
    repositories = list(world.repositories.values())
    shop = repositories[0]
    found: list[Any] = [*repositories, *shop.pulls.values(), *shop.issues.values()]
    found += [*shop.deployments.values()]
    return [*[each.id for each in found], "R_nothing"]


def given(text: str, world: World) -> dict[str, Any]:
    """Values for the variables that a query declares, by their names."""
    shop = world.find("acme/shop")
    assert shop is not None
    flags = dict.fromkeys(("list", "issues", "deployments", "releases", "tags"), True)
    values = flags | {
        "owner": "acme",
        "owner0": "acme",
        "name0": "shop",
        "owner1": "acme",
        "name1": "old-name",  # renamed since
        "first": 2,
        "ids": ids(world),
        "open": ids(world),
        "id": shop.id,
        "oid": shop.tip,
        "path": "cart",
        "since": MONDAY.isoformat(),
        "labels": ["incident"],
    }
    return {name: value for name, value in values.items() if f"${name}:" in text}


@needs_github_schema
@pytest.mark.needs_github_schema
@pytest.mark.parametrize("name", QUERIES)
def test_every_query_of_the_collector_is_valid_on_the_real_schema(name: str) -> None:
    assert mistakes(QUERIES[name]) == []


@pytest.mark.parametrize("name", QUERIES)
def test_every_query_is_answered_as_by_graphql_core_alone(name: str, world: World) -> None:
    answers = [
        assert_alike(QUERIES[name], variables, world)
        for variables in of_every_node(given(QUERIES[name], world), world)
    ]

    assert any(has_items(answer["data"]) for answer in answers)


@pytest.mark.parametrize("name", [name for name, text in QUERIES.items() if "$after" in text])
def test_every_further_page_is_answered_alike(name: str, world: World) -> None:
    further = 0
    for asked in of_every_node(given(QUERIES[name], world) | {"first": 1}, world):
        for _ in range(4):
            answer = assert_alike(QUERIES[name], asked, world)
            following = next(cursors(answer["data"]), None)
            if following is None:
                break
            asked = asked | {"after": following}
            further += 1

    assert further


def assert_alike(text: str, variables: Mapping[str, Any], world: World) -> dict[str, Any]:
    """The answer, after a look that graphql-core's own executor answers the same."""
    query = read_query(text, variables)
    answer = execute(query, world)

    assert answer == execute(query, world, executor=Executor)
    return answer


def of_every_node(variables: dict[str, Any], world: World) -> list[dict[str, Any]]:
    """The variables for nodes of every kind, where a query asks for one."""
    if "id" not in variables:
        return [variables]
    return [variables | {"id": each} for each in ids(world)]


def cursors(data: Any) -> Iterator[str]:
    """The cursors of further pages, the outermost first."""
    if isinstance(data, dict):
        info = data.get("pageInfo")
        if info and info["hasNextPage"]:
            yield info["endCursor"]
        for value in data.values():
            yield from cursors(value)


def has_items(data: Any) -> bool:
    """True if something is in any list of the answer."""
    if isinstance(data, list):
        return any(item for item in data)
    return isinstance(data, dict) and any(has_items(value) for value in data.values())
