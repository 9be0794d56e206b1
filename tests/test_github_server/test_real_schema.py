"""Our queries on GitHub's real schema: valid there, and answered there as by our own executor."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from github_schema import everything, executed, mistakes, needs_github_schema, unknown_fields
from github_server.execute import execute
from github_server.language import parse
from github_server.limits import Bucket
from github_server.points import Price
from github_server.query import Query
from github_server.server import RateLimit, with_rate_limit
from github_server.world import World
from github_world import MONDAY, busy_world

from vpemetrics.collectors.github.queries import QUERIES

pytestmark = [needs_github_schema, pytest.mark.needs_github_schema]

RATE = RateLimit(price=Price(), bucket=Bucket(resource="graphql", limit=5_000, resets_at=MONDAY))
ALL_FIELDS = with_rate_limit(RATE)


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


def assert_alike(text: str, variables: Mapping[str, Any], world: World) -> dict[str, Any]:
    """What both executors answer, after a look that it is the same."""
    answer = execute(Query(text, variables), ALL_FIELDS, world)

    assert answer == executed(text, variables, ALL_FIELDS, world)
    return answer


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
    declared = {each.name for each in parse(text).operations[0].variables}
    return {name: value for name, value in values.items() if name in declared}


@pytest.mark.parametrize("name", QUERIES)
def test_every_query_of_the_collector_is_valid_on_the_real_schema(name: str) -> None:
    assert mistakes(QUERIES[name]) == []


@pytest.mark.parametrize("name", QUERIES)
def test_every_query_is_answered_alike_by_both_executors(name: str, world: World) -> None:
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


def of_every_node(variables: dict[str, Any], world: World) -> list[dict[str, Any]]:
    """The variables for nodes of every kind, where a query asks for one."""
    if "id" not in variables:
        return [variables]
    return [variables | {"id": each} for each in ids(world)]


def cursors(data: Any) -> Iterator[str]:
    """Where further pages begin, the outermost first."""
    if isinstance(data, dict):
        info = data.get("pageInfo")
        if info and info["hasNextPage"]:
            yield info["endCursor"]
        for value in data.values():
            yield from cursors(value)


def has_items(data: Any) -> bool:
    """Whether something is in any list of the answer."""
    if isinstance(data, list):
        return any(item for item in data)
    return isinstance(data, dict) and any(has_items(value) for value in data.values())


@pytest.mark.parametrize("kind", ["Repository", "PullRequest", "Issue", "Deployment"])
def test_every_field_of_a_node_and_of_what_it_holds_is_answered_alike(
    kind: str, world: World
) -> None:
    fields = everything(kind, ALL_FIELDS, 1)
    text = f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {kind} {{ {fields} }} }} }}"
    answer = assert_alike(text, {"ids": ids(world)}, world)

    assert mistakes(text) == []
    assert any(answer["data"]["nodes"])


def test_every_field_of_a_query_is_answered_alike(world: World) -> None:
    assert_alike(f"{{ {everything('Query', ALL_FIELDS, 1)} }}", {}, world)


def test_every_field_with_a_resolver_is_in_the_real_schema() -> None:
    unknown = set(unknown_fields(ALL_FIELDS))

    assert unknown <= {"Issue.issueType", "IssueType.name"}  # younger than some copies of it


LANGUAGE = [
    "{ a: rateLimit { cost } b: rateLimit { ...l } } fragment l on RateLimit { limit remaining }",
    'query ($x: Boolean = true) { repository(owner: "acme", name: "shop") {'
    " name @skip(if: $x) id @include(if: $x) ... @include(if: $x) { isFork } } }",
    '{ repository(owner: "acme", name: "nowhere") { id } viewer { login } }',
    '{ nodes(ids: ["R_nothing", "R_nowhere"]) { __typename id } }',
    'query ($n: Int) { repository(owner: "acme", name: "shop") {'
    " pullRequests(first: 5, states: [MERGED, OPEN], orderBy: {field: CREATED_AT, direction: ASC})"
    " { totalCount edges { cursor node { ...p ...p number } } }"
    " pullRequest(number: 2) { title } issues(first: $n, last: 1) { nodes { number } } } }"
    " fragment p on PullRequest { state author { __typename login ... on Bot { databaseId }"
    " ... on Actor { url } } }",
    '{ __typename repositoryOwner(login: "acme") { __typename ... on Organization { name } } }',
]


@pytest.mark.parametrize("text", LANGUAGE)
def test_what_the_language_can_say_is_understood_alike(text: str, world: World) -> None:
    assert mistakes(text) == []
    assert_alike(text, {}, world)


def test_a_query_that_our_executor_refuses_is_a_mistake_on_the_real_schema_too() -> None:
    (mistake,) = mistakes("{ viewer { age } }")

    assert mistake.startswith("Cannot query field 'age' on type 'User'.")
