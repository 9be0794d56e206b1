"""The price of a query, held to the worked examples that GitHub publishes.

They stand on the page that `points` names.
"""

from typing import Any

import pytest
from github_server.execution import Invalid, Query
from github_server.points import Price, price
from graphql import parse

LABELS_OF_ISSUES_OF_REPOSITORIES = """
query {
  viewer {
    login
    repositories(first: 100) {
      edges {
        node {
          id
          issues(first: 50) {
            edges { node { id labels(first: 60) { edges { node { id name } } } } }
          }
        }
      }
    }
  }
}
"""
SIMPLE = """
query {
  viewer {
    repositories(first: 50) {
      edges {
        repository: node {
          name
          issues(first: 10) { totalCount edges { node { title bodyHTML } } }
        }
      }
    }
  }
}
"""
COMPLEX = """
query {
  viewer {
    repositories(first: 50) {
      edges {
        repository: node {
          name
          pullRequests(first: 20) {
            edges {
              pullRequest: node {
                title
                comments(first: 10) { edges { comment: node { bodyHTML } } }
              }
            }
          }
          issues(first: 20) {
            totalCount
            edges {
              issue: node {
                title
                bodyHTML
                comments(first: 10) { edges { comment: node { bodyHTML } } }
              }
            }
          }
        }
      }
    }
    followers(first: 10) { edges { follower: node { login } } }
  }
}
"""


def of(text: str, **variables: Any) -> Price:
    return price(Query.of(parse(text), variables))


def test_the_published_example_of_a_score_costs_51_points() -> None:
    found = of(LABELS_OF_ISSUES_OF_REPOSITORIES)

    assert found.requests == 5_101
    assert found.points == 51


@pytest.mark.parametrize(("text", "nodes"), [(SIMPLE, 550), (COMPLEX, 22_060)])
def test_the_published_examples_of_nodes_are_counted_alike(text: str, nodes: int) -> None:
    assert of(text).nodes == nodes


def test_the_least_that_a_query_costs_is_one_point() -> None:
    assert of("{ viewer { login } }") == Price(requests=0, nodes=0)
    assert of("{ viewer { login } }").points == 1


@pytest.mark.parametrize(("requests", "points"), [(149, 1), (150, 2), (249, 2), (250, 3)])
def test_points_are_rounded_to_the_nearest(requests: int, points: int) -> None:
    assert Price(requests=requests).points == points


PULLS = """
query ($first: Int!) {
  repository(owner: "acme", name: "shop") {
    pullRequests(first: $first) {
      nodes {
        commits(first: 100) { nodes { commit { oid } } }
        timelineItems(first: 100) { nodes { __typename } }
      }
    }
  }
}
"""


@pytest.mark.parametrize(("first", "points"), [(100, 2), (50, 1), (25, 1)])
def test_variables_give_the_sizes_of_pages(first: int, points: int) -> None:
    found = of(PULLS, first=first)

    assert found.requests == 1 + 2 * first
    assert found.nodes == first + 2 * first * 100
    assert found.points == points


def test_what_two_fragments_ask_for_alike_costs_once() -> None:
    once = of("{ node(id: 1) { ... on Issue { labels(first: 9) { nodes { id } } } } }")
    twice = of(
        "{ node(id: 1) { ...a ...b } }"
        "fragment a on Issue { labels(first: 9) { nodes { id } } }"
        "fragment b on PullRequest { labels(first: 9) { nodes { name } } }"
    )

    assert once == twice == Price(requests=1, nodes=9)


def test_aliases_cost_each_for_itself() -> None:
    found = of(
        "{ a: repository(name: 1) { issues(first: 2) { nodes { id } } }"
        "  b: repository(name: 2) { issues(last: 3) { nodes { id } } } }"
    )

    assert found == Price(requests=2, nodes=5)


def test_what_is_not_included_costs_nothing() -> None:
    text = "query ($x: Boolean!) { viewer { issues(first: 5) @include(if: $x) { nodes { id } } } }"

    assert of(text, x=False).nodes == 0
    assert of(text, x=True).nodes == 5


def test_nodes_by_their_ids_multiply_what_is_asked_of_each() -> None:
    labels = "... on Issue { labels(first: 5) { nodes { id } } }"
    text = f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ {labels} }} }}"

    assert of(text, ids=["a", "b", "c"]) == Price(requests=4, nodes=18)


def test_a_count_without_a_page_takes_its_request_but_gives_no_nodes() -> None:
    assert of("{ viewer { issues { totalCount } } }") == Price(requests=1, nodes=0)


REFUSED = [
    (
        "{ viewer { issues { nodes { id } } } }",
        "MISSING_PAGINATION_BOUNDARIES",
        "You must provide a `first` or `last` value to properly paginate the `issues` connection.",
    ),
    (
        "{ viewer { repositories(last: 1000) { nodes { id } } } }",
        "EXCESSIVE_PAGINATION",
        "Requesting 1000 records on the `repositories` connection"
        " exceeds the `last` limit of 100 records.",
    ),
    (
        "{ viewer { a(first: 100) { nodes { b(first: 100) { nodes { c(first: 50) { nodes { id }"
        " } } } } } } }",
        "MAX_NODE_LIMIT_EXCEEDED",
        "This query requests up to 510,100 possible nodes"
        " which exceeds the maximum limit of 500,000.",
    ),
]


@pytest.mark.parametrize(("text", "kind", "message"), REFUSED)
def test_pages_without_bounds_and_too_many_nodes_are_refused(
    text: str, kind: str, message: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        of(text)

    assert refusal.value.error["type"] == kind
    assert refusal.value.error["message"] == message


def test_more_than_a_hundred_ids_are_refused() -> None:
    text = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"

    assert of(text, ids=["x"] * 100).nodes == 100
    with pytest.raises(Invalid, match="more than 100 node ids; you provided 101"):
        of(text, ids=["x"] * 101)
