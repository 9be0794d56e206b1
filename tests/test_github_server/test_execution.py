"""Queries answered by graphql-core in GitHub's form, and what is refused."""

from typing import Any

import pytest
from github_server.execution import Invalid, execute, read_query
from github_server.world import World
from github_world import busy_world


@pytest.fixture(scope="module")
def world() -> World:
    return busy_world()


def test_what_is_refused_is_null_with_an_error_and_the_rest_is_there(world: World) -> None:
    text = '{\n  viewer { login }\n  x: repository(owner: "acme", name: "gone") { id }\n}'

    assert execute(read_query(text), world) == {
        "data": {"viewer": {"login": "collector"}, "x": None},
        "errors": [
            {
                "type": "NOT_FOUND",
                "path": ["x"],
                "locations": [{"line": 3, "column": 3}],
                "message": "Could not resolve to a Repository with the name 'acme/gone'.",
            }
        ],
    }


def test_one_item_of_a_list_may_be_refused(world: World) -> None:
    (shop, *_) = world.repositories.values()
    query = read_query(
        "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": [shop.id, "R_x"]}
    )

    answer = execute(query, world)

    assert answer["data"]["nodes"] == [{"id": shop.id}, None]
    assert answer["errors"][0]["path"] == ["nodes", 1]


def test_one_of_several_queries_is_chosen_by_its_name(world: World) -> None:
    text = "query A { viewer { login } } query B { viewer { id } }"

    answer = execute(read_query(text, {}, "B"), world)

    assert list(answer["data"]["viewer"]) == ["id"]
    for chosen, message in [(None, "An operation name is required"), ("C", "No operation named")]:
        with pytest.raises(Invalid, match=message):
            read_query(text, {}, chosen)


@pytest.mark.parametrize(
    ("text", "given", "message"),
    [
        ("{ viewer { age } }", {}, "Cannot query field 'age' on type 'User'"),
        ("{ viewer }", {}, "Field 'viewer' of type 'User!' must have a selection"),
        ("{ viewer { login }", {}, "Syntax Error"),
        ("{ ...x }", {}, "Unknown fragment 'x'"),
        ("query ($x: Int) { viewer { login } }", {}, "Variable '\\$x' is never used"),
        ("query ($x: ID!) { node(id: $x) { id } }", {}, r"\$x.* 'ID!'"),
        ("query ($x: ID!) { node(id: $x) { id } }", {"x": None}, r"\$x.* 'ID!'"),
        ("query ($x: ID!) { node(id: $x) { id } }", {"x": [1]}, "ID cannot represent value"),
    ],
)
def test_what_cannot_be_run_is_told_with_its_place(
    text: str, given: dict[str, Any], message: str
) -> None:
    with pytest.raises(Invalid, match=message) as refusal:
        read_query(text, given)

    assert refusal.value.error["locations"]
    assert refusal.value.error["message"] == str(refusal.value)


def test_a_resolver_that_breaks_is_a_mistake_of_its_author() -> None:
    shop = World().repository("acme/shop")
    del shop.pulls
    text = '{ repository(owner: "acme", name: "shop") { pullRequests(first: 1) { totalCount } } }'

    with pytest.raises(AssertionError, match=r"at \['repository', 'pullRequests'\]"):
        execute(read_query(text), shop.world)
