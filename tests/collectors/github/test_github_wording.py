import re

import pytest

from vpemetrics.collectors.github import queries
from vpemetrics.collectors.github.messages import GRAPHQL, Question
from vpemetrics.collectors.github.wording import ASKED_FOR

TEXTS = [
    *(t for t in vars(queries).values() if isinstance(t, str) and t.startswith("\nquery ")),
    *(made(1) for made in (queries.find, queries.sight, queries.labelled)),
]
NAMES = {f"{part}{at}": f"{part}{at}" for part in ("owner", "name") for at in range(3)}


def named(text: str, **variables: str) -> str:
    body = {"query": text, "variables": variables}
    return Question(address="/graphql", method="POST", body=body, resource=GRAPHQL).name


def test_every_query_has_words_and_no_words_are_left_over() -> None:
    found = {match[1] for text in TEXTS if (match := re.match(r"\s*query (\w+)", text))}

    assert found == set(ASKED_FOR)


@pytest.mark.parametrize("text", TEXTS)
def test_no_message_speaks_of_queries(text: str) -> None:
    said = named(text, owner="acme", path="src", **NAMES)

    assert said.startswith("asking GitHub for ")
    assert "query" not in said


def test_who_and_what_was_asked_about_is_named() -> None:
    assert named(queries.OWNED, owner="acme") == "asking GitHub for the repositories of acme"
    assert named(queries.find(3), **NAMES) == "asking GitHub for owner0/name0 and 2 more"
    one = {"owner0": "acme", "name0": "shop"}
    assert named(queries.sight(1), **one) == "asking GitHub for what acme/shop can tell"


def test_a_page_goes_by_its_address() -> None:
    question = Question(address="/repos/acme/shop/environments?page=2")

    assert question.name == "asking GitHub for /repos/acme/shop/environments"
