"""Explanations of the sample, and what is read in them."""

from itertools import chain
from typing import Final

from sample import files

from vpemetrics.config.load import load
from vpemetrics.explain.model import Entry, Explanation
from vpemetrics.window import parse_quarter, parse_week

RULES: Final = load(files() / "vpemetrics.toml", {}).rules()
QUARTER: Final = parse_quarter("2026-Q2")
WEEK: Final = parse_week("2026-W36")


def entries_of(explanation: Explanation, *roles: str) -> list[Entry]:
    """The entries of the groups that play one of these parts."""
    return list(chain(*(g.entries for g in explanation.groups if g.role in roles)))


def facts_of(explanation: Explanation) -> dict[str, str]:
    """The facts of a record by name."""
    return {fact.name.strip(): fact.text for fact in explanation.facts}


def entries_under(explanation: Explanation, title: str) -> list[Entry]:
    """The entries of the groups whose title begins so."""
    return [e for g in explanation.groups if g.title.startswith(title) for e in g.entries]
