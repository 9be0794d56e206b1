"""Who is a person, an agent or automation, by what they are called."""

import re

import pytest

from vpemetrics.agents import AGENTS
from vpemetrics.collectors.authors import (
    agent_test,
    author_test,
    mark_authors,
    mark_authors_in,
    unlisted_automation,
)
from vpemetrics.record_columns import RecordColumns
from vpemetrics.records import AuthorKind, Change, Commit, Deployment, Status

PERSON, AGENT, AUTOMATION = AuthorKind


@pytest.mark.parametrize(
    ("author", "automated"),
    [
        ("renovate[bot]", True),
        ("Dependabot[BOT]", True),  # case does not matter
        ("Jacob", False),  # ends in a letter of "bot"
        ("[bot] lover", False),
        ("ci-runner", True),
        ("my-ci-runner", False),  # a pattern matches the whole name
        ("r2d2", True),
        ("r20d2", False),
        ("a.b", True),
        ("axb", False),  # a dot is a dot
        ("two\nlines[bot]", True),
    ],
)
def test_automation_is_known_by_its_name(author: str, automated: bool) -> None:
    kind = AUTOMATION if automated else None
    assert author_test(["CI-*", "r?d2", "a.b"])(author) is kind


def test_a_bracket_in_a_pattern_stands_for_itself() -> None:
    kind_of = author_test(["*[app]"])

    assert kind_of("sync[app]") is AUTOMATION
    assert kind_of("map") is None


def test_authors_are_judged_only_where_the_source_said_nothing() -> None:
    silent = Change(id="1", repository="r", author="x[bot]")
    person = Commit(sha="a" * 40, repository="r", author="x[bot]", author_kind=PERSON)
    nobody = Commit(sha="b" * 40, repository="r")
    other = Deployment(id="1", environment="e", status=Status.FAILED)

    marked = list(mark_authors([silent, person, nobody, other], author_test()))
    bot = Change(id="1", repository="r", author="x[bot]", author_kind=AUTOMATION)
    assert marked == [bot, person, nobody, other]


@pytest.mark.parametrize(
    ("author", "kind"),
    [
        ("Copilot", AGENT),  # the login of its pull requests
        ("Copilot[bot]", AGENT),  # as GraphQL's type Bot is written
        ("copilot-swe-agent[bot]", AGENT),
        ("198982749+Copilot@users.noreply.github.com", AGENT),
        ("app/copilot-swe-agent", AGENT),  # as GitHub's command line writes it
        ("app/dependabot", AUTOMATION),
        ("49699333+dependabot[bot]@users.noreply.github.com", AUTOMATION),
        ("devin-ai-integration[bot]", AGENT),
        ("158243242+devin-ai-integration[bot]@users.noreply.github.com", AGENT),
        ("NoReply@Anthropic.com", AGENT),
        ("claude[bot]", AGENT),
        ("cursoragent@cursor.com", AGENT),
        ("google-labs-jules[bot]", AGENT),
        ("openhands@all-hands.dev", AGENT),
        ("claude", None),  # people are called so
        ("Claude", None),
        ("Devin", None),
        ("jules", None),
        ("81847+claude@users.noreply.github.com", None),  # another account than claude[bot]
        ("copilot@airline.example", None),
        ("acme-coder", AGENT),  # configured, though a pattern of automation has it too
        ("7+acme-coder@users.noreply.github.com", AGENT),
        ("acme-ci", AUTOMATION),
    ],
)
def test_agents_are_known_by_logins_accounts_and_addresses(
    author: str, kind: AuthorKind | None
) -> None:
    assert author_test(["acme-*"], ["acme-coder"])(author) is kind


@pytest.mark.parametrize(
    ("author", "tool"),
    [
        ("198982749+Copilot@users.noreply.github.com", "Copilot"),
        ("noreply@openai.com", "Codex"),
        ("acme-coder", "acme-*"),
        ("ada", None),
    ],
)
def test_an_agent_has_the_name_of_its_tool(author: str, tool: str | None) -> None:
    assert agent_test(["acme-*"])(author) == tool


@pytest.mark.parametrize("names", AGENTS.values(), ids=AGENTS)
def test_no_agent_is_known_by_a_first_name(names: tuple[str, ...]) -> None:
    assert all(re.search(r"[@\[-]|^copilot$|^cursoragent$", name.lower()) for name in names)


def test_what_a_source_takes_for_automation_may_be_an_agent() -> None:
    told = [
        Change(id="1", repository="r", author="Copilot", author_kind=AUTOMATION),
        Change(id="2", repository="r", author="Copilot", author_kind=PERSON),
        Change(id="3", repository="r", author="ada", author_kind=AUTOMATION),
        Change(id="4", repository="r", author_kind=AUTOMATION),
    ]
    kinds = [AGENT, PERSON, AUTOMATION, AUTOMATION]
    columns = mark_authors_in(RecordColumns.of(Change, [("s", one) for one in told]), author_test())

    assert [one.author_kind for one in mark_authors(told, author_test())] == kinds  # type: ignore[union-attr]
    assert columns.values["author_kind"] == kinds


@pytest.mark.parametrize(
    ("authors", "named"),
    [
        ({"ada": 90, "acme-bot": 10}, ["acme-bot"]),
        ({"ada": 96, "acme-bot": 4}, []),  # less than a twentieth
        ({"ada": 10, "acme-bot": 9}, []),  # too few to say
        ({"ada": 90, "acme-ci@acme.example": 10}, ["acme-ci@acme.example"]),
        ({"ada": 80, "Renovate": 10, "shop-release": 10}, ["Renovate", "shop-release"]),
        ({"ada": 90, "listed-bot": 10}, []),
        ({"ada": 90, "cibot": 10}, []),
        ({"ada": 90, "dependabot[bot]": 10}, []),
    ],
)
def test_authors_who_look_like_automation_and_are_in_no_list_are_named(
    authors: dict[str, int], named: list[str]
) -> None:
    found = unlisted_automation(authors, author_test(["listed-*"]))

    assert [*found] == named
