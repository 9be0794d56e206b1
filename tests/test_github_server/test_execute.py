"""Queries answered by resolvers, and what is refused, in GitHub's form."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import perf_counter
from typing import Any, ClassVar

import pytest
from github_server.execute import Fields, Refused, execute
from github_server.query import Invalid, Query


@dataclass(frozen=True, kw_only=True)
class Person:
    TYPENAME: ClassVar = "User"
    INTERFACES: ClassVar = frozenset({"Actor"})
    login: str


@dataclass(frozen=True, kw_only=True)
class Robot:
    TYPENAME: ClassVar = "Bot"
    INTERFACES: ClassVar = frozenset({"Actor"})
    login: str


@dataclass(frozen=True, kw_only=True)
class Town:
    people: list[Any] = field(default_factory=list)


ACTOR: dict[str, Any] = {"login": lambda actor, _: actor.login}


def refuse(*_: Any) -> None:
    raise Refused("NOT_FOUND", "Could not resolve to a User.")


FIELDS: Fields = {
    "Query": {
        "people": lambda town, _: town.people,
        "first": lambda town, _: next(iter(town.people), None),
        "said": lambda _, arguments: ",".join(f"{k}={v!r}" for k, v in arguments.items()),
        "names": lambda town, _: [person.login for person in town.people],
        "nobody": refuse,
        "when": lambda *_: datetime(2026, 1, 1, tzinfo=UTC),
    },
    "User": {**ACTOR, "friends": lambda *_: [], "id": lambda *_: 7},
    "Bot": {**ACTOR, "purpose": lambda *_: "tests"},
}
TOWN = Town(people=[Person(login="ada"), Robot(login="r2")])


def ask(text: str, town: Town = TOWN, **variables: Any) -> dict[str, Any]:
    return execute(Query(text, variables), FIELDS, town)


def test_fields_are_answered_under_their_keys_in_the_order_asked() -> None:
    answer = ask("{ b: names first { login } a: names }")["data"]

    assert list(answer) == ["b", "first", "a"]
    assert answer == {"b": ["ada", "r2"], "first": {"login": "ada"}, "a": ["ada", "r2"]}


def test_nothing_is_null() -> None:
    assert ask("{ first { login } }", Town()) == {"data": {"first": None}}


def test_every_object_is_answered_by_its_own_type() -> None:
    answer = ask("{ people { __typename login ... on User { id } ... on Bot { purpose } } }")

    assert answer["data"]["people"] == [
        {"__typename": "User", "login": "ada", "id": 7},
        {"__typename": "Bot", "login": "r2", "purpose": "tests"},
    ]


def test_a_fragment_on_an_interface_is_for_all_that_have_it() -> None:
    text = "{ people { ...shown } } fragment shown on Actor { login ... { __typename } }"

    assert [person["login"] for person in ask(text)["data"]["people"]] == ["ada", "r2"]


def test_fragments_of_the_same_field_are_answered_together() -> None:
    text = "{ first { login } ...more } fragment more on Query { first { __typename } }"

    assert ask(text)["data"] == {"first": {"login": "ada", "__typename": "User"}}


def test_one_key_cannot_stand_for_two_fields() -> None:
    (error,) = ask("{ x: names x: nobody }")["errors"]

    assert error["message"] == "Field 'x' has a field conflict: names or nobody?"
    assert error["extensions"] == {"code": "fieldConflict", "fieldName": "x"}


@pytest.mark.parametrize(
    ("directive", "shown"),
    [
        ("@include(if: true)", True),
        ("@include(if: false)", False),
        ("@skip(if: true)", False),
        ("@skip(if: false)", True),
        ("@include(if: $yes)", True),
        ("@skip(if: $yes)", False),
        ("@include(if: $yes) @skip(if: $yes)", False),
    ],
)
def test_directives_leave_in_or_out(directive: str, shown: bool) -> None:
    text = f"query ($yes: Boolean!) {{ said(x: $yes) names {directive} }}"

    assert ("names" in ask(text, yes=True)["data"]) is shown


@pytest.mark.parametrize(
    ("declared", "arguments", "said"),
    [
        ("", "(a: 1, b: OPEN, c: [1, {d: $v}])", "a=1,b='OPEN',c=[1, {'d': 'v'}]"),
        ("$missing: Int", "(a: $v, b: $missing)", "a='v'"),  # without a default: left out
        ("$missing: Int", "(a: $v, b: {c: $missing})", "a='v',b={}"),
        ("$empty: Int", "(a: $v, b: $empty)", "a='v',b=None"),  # given as null
        ("$missing: Int = 50", "(a: $v, b: $missing)", "a='v',b=50"),
        ("$one: [ID!]", "(a: $v, b: $one)", "a='v',b=['one']"),  # stands for a list of one
    ],
)
def test_arguments_reach_the_resolver(declared: str, arguments: str, said: str) -> None:
    text = f"query ($v: String!, {declared}) {{ said{arguments} }}"

    assert ask(text, v="v", empty=None, one="one")["data"] == {"said": said}


def test_what_is_refused_is_null_with_an_error_and_the_rest_is_there() -> None:
    answer = ask("{\n  names\n  x: nobody\n}")

    assert answer == {
        "data": {"names": ["ada", "r2"], "x": None},
        "errors": [
            {
                "type": "NOT_FOUND",
                "path": ["x"],
                "locations": [{"line": 3, "column": 3}],
                "message": "Could not resolve to a User.",
            }
        ],
    }


def test_one_item_of_a_list_may_be_refused() -> None:
    refused = Refused("FORBIDDEN", "Protected.", saml_failure=True)
    answer = ask("{ people { login } }", Town(people=[Person(login="ada"), refused]))

    assert answer["data"] == {"people": [{"login": "ada"}, None]}
    assert answer["errors"][0]["path"] == ["people", 1]
    assert answer["errors"][0]["extensions"] == {"saml_failure": True}


INVALID = [
    ("{ first { age } }", "Field 'age' doesn't exist on type 'User'", "undefinedField"),
    ("{ town }", "Field 'town' doesn't exist on type 'Query'", "undefinedField"),
    (
        "{ first }",
        "Field must have selections (field 'first' returns User but has no selections."
        " Did you mean 'first { ... }'?)",
        "selectionMismatch",
    ),
    (
        "{ names { length } }",
        "Selections can't be made on scalars (field 'names' has selections)",
        "selectionMismatch",
    ),
    (
        "query Q { said(x: $x) }",
        "Variable $x is used by Q but not declared",
        "variableNotDefined",
    ),
    (
        "query ($x: Int) { names }",
        "Variable $x is declared by anonymous query but not used",
        "variableNotUsed",
    ),
    ("{ ...x }", "Fragment x was used, but not defined", "useAndDefineFragment"),
    (
        "{ names } fragment x on User { login }",
        "Fragment x was defined, but not used",
        "useAndDefineFragment",
    ),
    (
        "{ ...x } fragment x on Query { ...x }",
        "Fragment x contains an infinite loop",
        "infiniteLoop",
    ),
]


def answered(text: str, **variables: Any) -> dict[str, Any]:
    """The answer, also where the text alone is refused."""
    try:
        return ask(text, **variables)
    except Invalid as invalid:
        return {"errors": [invalid.error]}


@pytest.mark.parametrize(("text", "message", "code"), INVALID)
def test_an_invalid_query_gets_no_data(text: str, message: str, code: str) -> None:
    answer = answered(text)

    assert "data" not in answer
    (error,) = answer["errors"]
    assert error["message"] == message
    assert error["extensions"]["code"] == code


def test_an_unknown_field_is_told_with_its_place() -> None:
    (error,) = answered("query Q {\n  mine: first { ... on User { age } }\n}")["errors"]

    assert error["path"] == ["query Q", "mine", "age"]
    assert error["locations"] == [{"line": 2, "column": 31}]
    assert error["extensions"]["typeName"] == "User"
    assert error["extensions"]["fieldName"] == "age"


@pytest.mark.parametrize(
    ("kind", "given", "explanation"),
    [
        ("Int!", {}, "Expected value to not be null"),
        ("Int!", {"x": None}, "Expected value to not be null"),
        ("Int", {"x": "1"}, "Could not coerce value '1' to Int"),
        ("Int", {"x": True}, "Could not coerce value True to Int"),
        ("Boolean!", {"x": 1}, "Could not coerce value 1 to Boolean"),
        ("String", {"x": 1}, "Could not coerce value 1 to String"),
        ("[ID!]!", {"x": ["a", None]}, "Expected value to not be null"),
    ],
)
def test_a_variable_of_another_type_is_refused(
    kind: str, given: dict[str, Any], explanation: str
) -> None:
    (error,) = answered(f"query ($x: {kind}) {{ said(x: $x) }}", **given)["errors"]

    assert error["message"] == f"Variable $x of type {kind} was provided invalid value"
    assert error["extensions"]["problems"][0]["explanation"] == explanation


def test_one_of_several_queries_is_chosen_by_its_name() -> None:
    text = "query A { names } query B { n: names }"

    assert execute(Query(text, {}, "B"), FIELDS, Town())["data"] == {"n": []}
    for chosen, message in [(None, "An operation name is required"), ("C", "No operation named")]:
        with pytest.raises(Invalid, match=message):
            Query(text, {}, chosen)


def test_a_resolver_that_gives_no_json_is_a_mistake_of_its_author() -> None:
    with pytest.raises(TypeError, match="when resolves to datetime"):
        ask("{ when }")


def test_a_hundred_objects_with_twenty_each_take_little_longer_than_making_their_answer() -> None:
    """2,000 commits of five fields are far under 100 ms; measured against plain comprehensions."""
    people = [Person(login=f"p{n}") for n in range(2_000)]
    rows = [people[n : n + 20] for n in range(0, 2_000, 20)]
    fields: Fields = {
        "Query": {"rows": lambda *_: [Row(people=row) for row in rows]},
        "Row": {"people": lambda row, _: row.people},
        "User": {key: lambda person, _: person.login for key in "abcde"},
    }
    query = Query("{ rows { people { a b c d e } } }")

    def by_hand() -> Any:
        return [
            {"people": [{key: get(person, {}) for key, get in steps} for person in row]}
            for row in rows
        ]

    steps = list(fields["User"].items())
    assert execute(query, fields, None)["data"] == {"rows": by_hand()}
    assert fastest(lambda: execute(query, fields, None)) < 8 * fastest(by_hand)


@dataclass(frozen=True, kw_only=True)
class Row:
    TYPENAME: ClassVar = "Row"
    people: list[Person]


def fastest(action: Any, times: int = 5) -> float:
    seconds = []
    for _ in range(times):
        begun = perf_counter()
        action()
        seconds.append(perf_counter() - begun)
    return min(seconds)
