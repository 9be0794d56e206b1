"""Patterns that can be fitted in so many ways that nobody lives to see the end of it."""

import re
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from commandline import invoke
from gitrepository import new_repository
from hypothesis import given
from hypothesis import strategies as st
from pathspec import GitIgnoreSpec
from tiers import law

from vpemetrics.collectors.authors import author_test
from vpemetrics.collectors.github.options import Rule
from vpemetrics.config.ownership import parse_codeowners, teams_of, teams_of_all
from vpemetrics.lineage.services import path_matcher
from vpemetrics.patterns import EndlessPattern
from vpemetrics.rules import matches

STARS = "*a" * 40 + "*b"
LONG = "b" + "a" * 249


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    repository = new_repository(tmp_path / "live")
    repository.at = datetime.now(UTC)
    repository.commit(LONG)
    monkeypatch.chdir(repository.path)
    return repository.path


@pytest.mark.slow
def test_a_subject_that_never_ends_is_told_with_its_file_and_key(folder: Path) -> None:
    Path("vpemetrics.toml").write_text(
        "[sources.live]\ntype = 'gitops'\nenvironment = 'live'\n"
        "subject = '(?P<service>b(a|aa)+b)(?P<version>c?)\\Z'\n"
    )

    result = invoke("collect")

    assert result.exit_code == 1
    assert f"{folder}/vpemetrics.toml: sources.live.subject: '(?P<service>" in result.stderr
    assert "takes more than a second" in result.stderr


@pytest.mark.slow
def test_a_file_that_never_ends_is_told(folder: Path) -> None:
    repository = new_repository(folder / "sub")
    (repository.path / LONG).write_text("tag: v1\n")
    repository.commit("Deploy")
    (folder / "vpemetrics.toml").write_text(
        "[sources.live]\ntype = 'gitops'\npath = 'sub'\nenvironment = 'live'\nvalue = 'tag'\n"
        "file = '(?P<service>b(a|aa)+b)\\Z'\n"
    )

    result = invoke("collect")

    assert result.exit_code == 1
    assert "vpemetrics.toml: sources.live.file: " in result.stderr


@pytest.mark.parametrize(
    "rule",
    [
        Rule(kind="workflow", workflow="deploy", job=r"(?P<service>b(a|aa)+b)\Z"),
        Rule(environment=r"(?P<service>b(a|aa)+b)\Z"),
    ],
)
@pytest.mark.slow
def test_an_expression_for_github_is_given_up(rule: Rule) -> None:
    assert rule.expression
    with pytest.raises(EndlessPattern, match=rf"^deployments\.{'job' if rule.job else 'env'}"):
        rule.expression.fit(LONG)


def test_patterns_of_names_end() -> None:
    assert not matches(LONG, [STARS])
    assert matches(f"{LONG}b", [STARS])
    assert not author_test([STARS])(LONG)


def test_patterns_of_paths_end() -> None:
    belongs = path_matcher([STARS])

    assert belongs
    assert belongs(f"{LONG}b")
    with suppress(EndlessPattern):
        assert not belongs(LONG)


@pytest.mark.parametrize(
    "pattern", ["services/cart/**", "*.py", "/a/*/b", "**/x/**", "a?c", "*a*b*c*d*e"]
)
@pytest.mark.parametrize("path", ["services/cart/x.py", "a/z/b", "q/x/y", "abc", "1a2b3c4d5e", "b"])
def test_paths_belong_as_git_says_however_they_are_told(pattern: str, path: str) -> None:
    belongs = path_matcher([pattern])

    assert belongs
    assert belongs(path) == GitIgnoreSpec.from_lines([pattern]).match_file(path)


def test_a_line_of_codeowners_keeps_nobody_waiting() -> None:
    lines = parse_codeowners(f"* @acme/all\n{'*a' * 20}*q @acme/slow\n")

    assert teams_of(LONG, lines) == ("all",)
    assert teams_of_all(parse_codeowners(f"* @acme/all\n{'*i' * 9}*q @acme/x\n")) == ("all",)


@given(st.text("ab*?[]\n", max_size=8), st.text("abB[]\n", max_size=8))
@law(200, soak=20_000)
def test_a_pattern_means_what_it_always_meant(pattern: str, name: str) -> None:
    plain = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    expected = re.fullmatch(plain, name, re.IGNORECASE | re.DOTALL) is not None

    assert matches(name, [pattern]) == expected
