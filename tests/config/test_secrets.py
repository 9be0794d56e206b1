from pathlib import Path

import pytest

from vpemetrics.config.secrets import (
    HIDDEN,
    Secret,
    is_literal,
    is_reference,
    is_secret_key,
    mask,
    resolve,
)
from vpemetrics.errors import FixConfiguration

TOKEN = "ghp_" + "a1B2" * 9


def test_a_secret_shows_only_when_asked() -> None:
    secret = Secret("s3cr3t")

    assert secret.reveal() == "s3cr3t"
    for shown in (repr(secret), str(secret), f"{secret}", f"{secret!r}", f"{[secret]}"):
        assert "s3cr3t" not in shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (TOKEN, True),
        ("github_pat_11ABCDEFG0123456789", True),
        ("glpat-abcdefghij0123456789", True),
        ("xoxb-1234567890-abcdef", True),
        ("Bearer abcdefghijkl", True),
        (f"https://{TOKEN}@example.org/a.git", True),
        ("postgresql://me:pw@db/metrics", True),
        ("postgresql://me:p@ss/w:rd@db/metrics", True),
        ("postgresql://me:my pass@db/metrics", True),
        ("redis://:pw@cache/0", True),
        ("postgresql://db/metrics?user=me&password=pw", True),
        (f"env:{TOKEN}", True),  # the token where its variable's name should be
        ("postgresql://me@db/metrics", False),
        ("postgresql://db:5432/metrics", False),
        ("https://example.org:8443/a@b", False),  # a port is no password
        ("sqlite:///metrics.db", False),
        ("env:GITHUB_TOKEN", False),
        ("checkout-*", False),
        ("", False),
    ],
)
def test_literal_secrets_are_recognised(text: str, expected: bool) -> None:
    assert is_literal(text) is expected


@pytest.mark.parametrize("key", ["token", "api_token", "password", "webhook_secret", "apikey"])
def test_settings_that_hold_a_secret_are_known_by_name(key: str) -> None:
    assert is_secret_key(key)


@pytest.mark.parametrize("key", ["path", "tokens_seen", "author", "key", "secretary"])
def test_other_settings_are_no_secrets(key: str) -> None:
    assert not is_secret_key(key)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("env:NAME", True),
        ("file:secrets/token", True),
        ("gh", True),
        ("github", False),
        ("", False),
        (f"env:{TOKEN}", False),
    ],
)
def test_references_are_told_from_values(text: str, expected: bool) -> None:
    assert is_reference(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgresql://me:p@ss@db/metrics", "postgresql://me:…@db/metrics"),
        ("postgresql://db/m?user=me&password=pw&a=1", "postgresql://db/m?user=me&password=…&a=1"),
        ("sqlite:///metrics.db", "sqlite:///metrics.db"),
        (TOKEN, "(hidden)"),
    ],
)
def test_masked_texts_keep_everything_but_the_secret(text: str, expected: str) -> None:
    assert mask(text) == expected


def test_a_secret_comes_from_the_environment(tmp_path: Path) -> None:
    secret = resolve("env:DB", {"DB": " value\n"}, folder=tmp_path)

    assert secret.reveal() == "value"


@pytest.mark.parametrize("environ", [{}, {"DB": ""}, {"DB": " \n"}])
def test_an_unset_variable_is_named(environ: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(FixConfiguration, match="environment variable DB is not set"):
        resolve("env:DB", environ, folder=tmp_path)


def test_a_secret_comes_from_a_file_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("value\n", encoding="utf-8")

    assert resolve("file:token", {}, folder=tmp_path).reveal() == "value"


def test_a_secret_comes_from_a_file_in_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "token").write_text("value\n", encoding="utf-8")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))

    assert resolve("file:~/token", {}, folder=tmp_path / "work").reveal() == "value"


def test_a_missing_secret_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FixConfiguration, match=r"file:.*token: No such file"):
        resolve("file:token", {}, folder=tmp_path)


def test_an_empty_secret_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("\n", encoding="utf-8")

    with pytest.raises(FixConfiguration, match="the file is empty"):
        resolve("file:token", {}, folder=tmp_path)


def test_a_binary_secret_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(FixConfiguration, match="cannot be read as text"):
        resolve("file:token", {}, folder=tmp_path)


@pytest.mark.parametrize("reference", [TOKEN, f"env:{TOKEN}", f"file:{TOKEN}", "env:not a name"])
def test_what_may_be_a_secret_is_never_repeated(reference: str, tmp_path: Path) -> None:
    with pytest.raises(FixConfiguration) as refused:
        resolve(reference, {}, folder=tmp_path)

    assert TOKEN not in str(refused.value)
    assert "env:NAME" in str(refused.value)


def test_the_login_of_githubs_command_line_is_used(tmp_path: Path) -> None:
    _program(tmp_path, 'echo "from $1 $2"')

    assert resolve("gh", {"PATH": _path(tmp_path)}, folder=tmp_path).reveal() == "from auth token"


def test_a_missing_command_line_of_github_is_named(tmp_path: Path) -> None:
    with pytest.raises(FixConfiguration, match="not installed"):
        resolve("gh", {"PATH": str(tmp_path)}, folder=tmp_path)


def test_a_missing_login_is_named(tmp_path: Path) -> None:
    _program(tmp_path, "exit 1")

    with pytest.raises(FixConfiguration, match="gh auth login"):
        resolve("gh", {"PATH": _path(tmp_path)}, folder=tmp_path)


def _program(folder: Path, line: str) -> None:
    program = folder / "gh"
    program.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
    program.chmod(0o755)


def _path(folder: Path) -> str:
    return f"{folder}:/usr/bin:/bin"


def test_what_was_handed_on_is_never_shown_again() -> None:
    secret = resolve("env:ODD", {"ODD": "of no known shape"}, folder=Path())
    address = resolve("env:URL", {"URL": "postgresql://me:pass@db/x"}, folder=Path())
    short = resolve("env:SHORT", {"SHORT": "and"}, folder=Path())
    said = f"cannot use {secret.reveal()} and {address.reveal()} and {short.reveal()}"

    assert mask(said) == f"cannot use {HIDDEN} and postgresql://me:…@db/x and and"
