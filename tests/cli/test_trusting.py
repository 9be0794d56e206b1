"""`vpemetrics trust`: what is sent where is shown, and allowed by a person."""

import json
import shutil
from pathlib import Path

import pytest
from commandline import invoke
from conversation import talked_to

from vpemetrics.store import Store
from vpemetrics.store.audit import load

SETTINGS = """
[sources.github]
type = "github"
token = "env:GITHUB_TOKEN"
repositories = ["acme/*"]

[sources.pager]
type = "pagerduty"
token = "file:~/pager"
"""
SENT = "  sources.github: env:GITHUB_TOKEN to api.github.com   (its vendor's own)\n"


@pytest.fixture
def file(folder: Path) -> Path:
    path = folder / "vpemetrics.toml"
    path.write_text(SETTINGS, encoding="utf-8")
    return path


@pytest.mark.slow
def test_it_shows_what_is_sent_and_asks(file: Path) -> None:
    said, questions = talked_to("trust", "y")

    assert f"{file} sends\n{SENT}" in said
    assert "  sources.pager: file:~/pager to api.pagerduty.com   (not allowed so far)\n" in said
    assert len(questions) == 1
    assert "api.pagerduty.com   (allowed)\n" in invoke("trust").stdout


@pytest.mark.slow
def test_who_says_no_has_allowed_nothing(file: Path) -> None:
    said, _ = talked_to("trust", "n", ends_with=1)

    assert "error: nothing was allowed" in said
    assert "(not allowed so far)" in invoke("trust").stdout


def test_off_a_terminal_it_takes_a_yes(file: Path) -> None:
    shown = invoke("trust")
    allowed = invoke("trust", "--yes")
    again = invoke("trust")

    assert (shown.exit_code, allowed.exit_code, again.exit_code) == (1, 0, 0)
    assert "(not allowed so far)" in shown.stdout
    assert "there is no terminal to ask on; nothing was allowed" in shown.stderr
    assert "(not allowed so far)" not in allowed.stdout
    assert allowed.stdout == again.stdout


def test_programs_are_told_and_ask_for_nothing(file: Path) -> None:
    said = json.loads(invoke("trust", "--json").stdout)

    assert said == {
        "format": "vpemetrics-trust-list/1",
        "file": str(file),
        "allowed": False,
        "sends": [
            {
                "setting": "sources.github",
                "what": "env:GITHUB_TOKEN",
                "to": "api.github.com",
                "allowed": True,
                "usual": True,
            },
            {
                "setting": "sources.pager",
                "what": "file:~/pager",
                "to": "api.pagerduty.com",
                "allowed": False,
                "usual": False,
            },
        ],
    }
    assert json.loads(invoke("trust", "--json", "--yes").stdout)["allowed"]


def test_a_named_file_is_allowed_for_when_it_is_found(file: Path) -> None:
    assert invoke("trust", "--yes", "--config", "vpemetrics.toml").exit_code == 0

    assert invoke("trust").exit_code == 0


def test_a_store_and_reports_elsewhere_are_shown(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:pass-word@db.example/x")
    text = 'store = "env:DATABASE_URL"\n[schedule]\noutput = "/srv/www/{week}.html"\n'
    (folder / "vpemetrics.toml").write_text(text)

    said = invoke("trust", "--yes").stdout

    assert "  store: env:DATABASE_URL to db.example   (allowed)\n" in said
    assert "  schedule.output: data to /srv/www   (allowed)\n" in said
    assert "pass-word" not in said


def test_trust_is_taken_back(file: Path) -> None:
    invoke("trust", "--yes")

    taken = invoke("trust", "--revoke")
    shown = invoke("trust")
    again = invoke("trust", "--revoke")

    assert taken.stdout == f"Taken back from {file}\n  file:~/pager to api.pagerduty.com\n"
    assert shown.exit_code == 1
    assert "api.pagerduty.com   (not allowed so far)\n" in shown.stdout
    assert again.stdout == f"Nothing was allowed to {file}.\n"


@pytest.mark.parametrize("content", [None, "not TOML"])
def test_trust_in_a_file_that_cannot_be_read_is_taken_back(file: Path, content: str | None) -> None:
    invoke("trust", "--yes")
    file.unlink()
    if content:
        file.write_text(content, encoding="utf-8")

    taken = invoke("trust", "--revoke", "--config", "vpemetrics.toml")
    file.write_text(SETTINGS, encoding="utf-8")

    assert (taken.exit_code, invoke("trust").exit_code) == (0, 1)


def test_what_is_taken_back_is_not_allowed_in_the_same_breath(file: Path) -> None:
    for other in ("--yes", "--json"):
        assert invoke("trust", "--revoke", other).exit_code == 2


def test_a_decision_from_before_the_store_comes_into_its_audit_log(
    file: Path, imported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "ada")
    invoke("trust", "--yes")
    shutil.copy(imported, "vpemetrics.db")

    allowed = audit_log()
    invoke("trust", "--revoke")
    revoked = audit_log()

    about = {
        "subject": "file:~/pager to api.pagerduty.com",
        "what": f"for {file}",
        "who": "ada",
    }
    assert allowed == [{"action": "trust", **about}]
    assert revoked == [{"action": "trust revoke", **about}, {"action": "trust", **about}]
    assert audit_log() == revoked  # each once


def test_a_collection_takes_decisions_over(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    invoke("trust", "--yes")
    invoke("collect")  # which fails, as there is no such file with a token

    with Store.open("vpemetrics.db") as store, store.view() as connection:
        [entry] = load(connection)
    assert (entry.action, entry.what) == ("trust", f"for {file}")


def test_nobody_is_kept_from_a_report_by_a_record_of_trust_that_is_none(sample: Path) -> None:
    record = Path.home() / ".config" / "vpemetrics" / "trust.json"
    record.parent.mkdir(parents=True)
    record.write_text("[]", encoding="utf-8")

    assert invoke("report").exit_code == 0


def audit_log() -> list[dict[str, str]]:
    """The entries that status shows, without when they were made."""
    entries = json.loads(invoke("status", "--audit", "--json").stdout)["entries"]
    return [{key: entry[key] for key in entry if key != "when"} for entry in entries]


def test_a_configuration_that_sends_nothing_says_so(folder: Path) -> None:
    (folder / "vpemetrics.toml").write_text('[sources.s]\ntype = "git"\n')

    result = invoke("trust")

    assert result.exit_code == 0
    assert result.stdout == (
        f"{folder}/vpemetrics.toml sends no secret, and nothing out of its own folder.\n"
    )


def test_without_a_configuration_there_is_nothing_to_trust(folder: Path) -> None:
    result = invoke("trust")

    assert result.exit_code == 1
    assert "there is no vpemetrics.toml here" in result.stderr
