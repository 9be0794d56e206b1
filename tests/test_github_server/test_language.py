"""Reading GraphQL documents, beside a table of what each kind of literal becomes."""

from typing import Any

import pytest
from github_server.language import (
    Field,
    Inline,
    NotGraphQL,
    Place,
    Selection,
    Spread,
    Variable,
    parse,
)


def only_field(text: str) -> Field:
    (field,) = parse(text).operations[0].selections
    assert isinstance(field, Field)
    return field


LITERALS = [
    ("1", 1),
    ("-12", -12),
    ("0", 0),
    ("1.5", 1.5),
    ("-2e3", -2000.0),
    ("1.5E-1", 0.15),
    ("true", True),
    ("false", False),
    ("null", None),
    ("UPDATED_AT", "UPDATED_AT"),  # an enum
    ("trueish", "trueish"),  # an enum that begins like a truth
    ('""', ""),
    ('"a b"', "a b"),
    (r'"say \"hi\" \\ \/ \n é"', 'say "hi" \\ / \n é'),
    ('"# no comment, {no} block"', "# no comment, {no} block"),
    ('"""raw "quotes" and \\n"""', 'raw "quotes" and \\n'),
    (r'"""three \""" quotes"""', 'three """ quotes'),
    ('"""\n    two\n      lines\n    """', "two\n  lines"),
    ("$first", Variable(name="first")),
    ("[]", []),
    ("[1, 2 3]", [1, 2, 3]),
    ("[[OPEN], [CLOSED]]", [["OPEN"], ["CLOSED"]]),
    ("{}", {}),
    ("{field: UPDATED_AT, direction: DESC}", {"field": "UPDATED_AT", "direction": "DESC"}),
    ("{ids: [$a, {b: $c}]}", {"ids": [Variable(name="a"), {"b": Variable(name="c")}]}),
]


@pytest.mark.parametrize(("text", "value"), LITERALS)
def test_a_literal_becomes_a_value(text: str, value: Any) -> None:
    assert only_field("{ f(x: %s) }" % text).arguments == {"x": value}  # noqa: UP031 (has braces)


def test_a_truth_is_no_number() -> None:
    assert only_field("{ f(x: true) }").arguments["x"] is True


def test_a_query_without_a_name_needs_no_keyword() -> None:
    operation = parse("{ viewer { login } }").operations[0]

    assert operation.name is None
    assert operation.variables == ()


def test_a_query_declares_variables_with_types_and_defaults() -> None:
    text = "query Q($owner: String!, $ids: [ID!]!, $n: Int = 50, $s: [S!] = [OPEN]) { viewer }"
    operation = parse(text).operations[0]

    assert operation.name == "Q"
    assert [(v.name, v.type, v.default, v.required) for v in operation.variables] == [
        ("owner", "String!", None, True),
        ("ids", "[ID!]!", None, True),
        ("n", "Int", 50, False),
        ("s", "[S!]", ["OPEN"], False),
    ]


def test_an_alias_is_the_key_of_the_answer() -> None:
    field = only_field("{ mine: viewer { login } }")

    assert (field.key, field.name) == ("mine", "viewer")


def test_names_that_are_keywords_elsewhere_are_names() -> None:
    field = only_field("{ query { on fragment type null } }")

    assert [inner.key for inner in fields(field.selections)] == ["on", "fragment", "type", "null"]


def fields(selections: tuple[Selection, ...]) -> list[Field]:
    return [selection for selection in selections if isinstance(selection, Field)]


def test_fragments_are_named_or_inline_on_a_type_or_on_none() -> None:
    document = parse(
        "query { node { ...parts ... on User { login } ... @include(if: $x) { id } } }"
        "fragment parts on Node { id }"
    )
    (field,) = fields(document.operations[0].selections)
    spread, typed, untyped = field.selections

    assert isinstance(spread, Spread)
    assert isinstance(typed, Inline)
    assert isinstance(untyped, Inline)
    assert (spread.name, typed.on, untyped.on) == ("parts", "User", None)
    assert untyped.directives[0].name == "include"
    assert untyped.directives[0].arguments == {"if": Variable(name="x")}
    assert document.fragments["parts"].on == "Node"


def test_directives_may_follow_everything() -> None:
    field = only_field("query @a { f(x: 1) @skip(if: false) @b { id } }")

    assert [directive.name for directive in field.directives] == ["skip", "b"]


def test_a_document_may_hold_several_queries() -> None:
    assert [each.name for each in parse("query A { a } query B { b }").operations] == ["A", "B"]


def test_comments_commas_and_byte_order_marks_mean_nothing() -> None:
    field = only_field("\ufeff# what\n{ ,, f(a: 1,b: 2), # here }\n }")

    assert field.arguments == {"a": 1, "b": 2}


def test_a_field_knows_where_it_stands() -> None:
    outer = only_field('{\n  a(x: """\n\n""") {\n    b\n  }\n}')

    assert outer.place == Place(line=2, column=3)
    assert fields(outer.selections)[0].place == Place(line=5, column=5)


BROKEN = [
    ("", "Unexpected end of document", (1, 1)),
    ("{ viewer { login }", "Unexpected end of document", (1, 19)),
    ("{ viewer { } }", 'Parse error on "}" (RCURLY) at [1, 12]', (1, 12)),
    ("{}", 'Parse error on "}" (RCURLY) at [1, 2]', (1, 2)),
    ("{ f() }", 'Parse error on ")" (RPAREN) at [1, 5]', (1, 5)),
    ("{ f(x 1) }", 'Parse error on "1" (INT) at [1, 7]', (1, 7)),
    ("query Q", "Unexpected end of document", (1, 8)),
    ("query ($a: Int = $b) { f }", 'Parse error on "$" (VAR_SIGN) at [1, 18]', (1, 18)),
    ("mutation { f }", 'Parse error on "mutation" (IDENTIFIER) at [1, 1]', (1, 1)),
    ("{ f(x: 01) }", "Parse error on '0' (UNKNOWN_CHAR)", (1, 8)),
    ('{ f(x: "open) }', "Parse error on '\"' (UNKNOWN_CHAR)", (1, 8)),
    ("{ f ; }", "Parse error on ';' (UNKNOWN_CHAR)", (1, 5)),
]


@pytest.mark.parametrize(("text", "message", "place"), BROKEN)
def test_what_is_no_query_is_refused_with_its_place(
    text: str, message: str, place: tuple[int, int]
) -> None:
    with pytest.raises(NotGraphQL) as refusal:
        parse(text)

    assert refusal.value.message == message
    assert (refusal.value.place.line, refusal.value.place.column) == place
