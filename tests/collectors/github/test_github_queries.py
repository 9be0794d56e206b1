"""Queries as people hear of them: by what they ask for, and never by their text."""

import pytest
from loopback import Loopback, Say

from vpemetrics.collectors.github import queries
from vpemetrics.collectors.github.client import Client
from vpemetrics.collectors.github.queries import Query
from vpemetrics.collectors.http import Gone, SourceProblem

EVERY = [
    *(query for query in vars(queries).values() if isinstance(query, Query)),
    *(query(1) for query in (queries.find, queries.sight, queries.labelled)),
]
NAMES = {f"{part}{at}": f"{part}{at}" for part in ("owner", "name") for at in range(3)}


def test_every_query_has_words_and_is_among_all() -> None:
    assert len(EVERY) == len(queries.QUERIES)
    assert all(query.label for query in EVERY)


@pytest.mark.parametrize("query", EVERY)
def test_no_message_speaks_of_queries(client: Client, github: Loopback, query: Query) -> None:
    github.say(Say(json={"errors": [{"message": "Field 'a' doesn't exist"}]}))

    variables = {"owner": "acme", "path": "src", **NAMES}

    with pytest.raises(SourceProblem) as caught:
        client.query(query, variables)

    said = str(caught.value)
    assert said.startswith(
        f"asking GitHub for {query.wording({'owner': 'acme', 'path': 'src', **NAMES})}: GitHub does"
    )
    assert "query" not in said
    assert query.text not in repr(query)


def test_who_and_what_was_asked_about_is_named() -> None:
    one = {"owner0": "acme", "name0": "shop"}

    assert queries.OWNED.wording({"owner": "acme"}) == "the repositories of acme"
    assert queries.find(3).wording(NAMES) == "owner0/name0 and 2 more"
    assert queries.sight(1).wording(one) == "what acme/shop can tell"


def test_a_page_goes_by_its_address(client: Client, github: Loopback) -> None:
    github.say(Say(status=404, json={"message": "Not Found"}))

    with pytest.raises(Gone, match="asking GitHub for /repos/acme/shop/environments: there is"):
        client.get("/repos/acme/shop/environments?page=2")
