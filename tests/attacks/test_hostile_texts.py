"""Texts that would steer a terminal, turn others round or hide in them, in every place for texts.

What any command writes holds no such character but the colours that are ours.
"""

import json
import re
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

import pytest
from commandline import invoke
from hypothesis import given
from hypothesis import strategies as st
from pseudoterminal import ended
from tiers import law

from vpemetrics.cli import output
from vpemetrics.cli.progress import bar
from vpemetrics.cli.session import Session
from vpemetrics.hidden_characters import is_shown, reveal
from vpemetrics.records import (
    Change,
    Commit,
    Coverage,
    CoverageKind,
    Deployment,
    Incident,
    Repository,
    Status,
)
from vpemetrics.reports.columns import plain
from vpemetrics.store import Store

pytestmark = pytest.mark.slow

ESCAPE = "\x1b[31;5m\x1b]0;gotcha\x07\x1b[2J"
TURNED = "\u202egnp.exe\u2066x\u2069"
HIDDEN = "a\u200bb\u200d\ufeff\u2060\U000e0041\u3164"
CONTROL = "\x00\x08\x0d\x7f\x85\x9b2J\u2028"
HOSTILE = f"n{ESCAPE}{TURNED}{HIDDEN}{CONTROL}m".replace("\x00", "")  # which no database holds
IN_A_FILE_NAME = HOSTILE.replace("/", "")

# The colours that are ours: dim, bold and those of reports, and the end of each.
OURS = re.compile(r"\x1b\[(?:0|1|2|38;5;\d+)m")
# A bar moves, and hides the cursor meanwhile: https://rich.readthedocs.io/en/stable/live.html
BARS = re.compile(r"\x1b\[(?:\?25[lh]|1A|2K|\d+(?:;\d+)*m)|\r(?=\n|\x1b|$)")


def hidden_in(text: str) -> set[str]:
    characters = set(text) - {"\n", "\t"}
    return {hex(ord(character)) for character in characters if not is_shown(character)}


def toml(text: str) -> str:
    """A text as TOML writes it."""
    return '"' + "".join(f"\\U{ord(character):08x}" for character in text) + '"'


# --- the filter ---------------------------------------------------------------------------------


@given(text=st.text())
@law(200, soak=100_000)
def test_nothing_hidden_gets_through_and_all_else_stays(text: str) -> None:
    seen = reveal(text)

    assert hidden_in(seen) == set()
    assert not any(
        unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
        for character in seen
        if character not in "\n\t"
    )
    if not hidden_in(text):
        assert seen == text


@given(value=st.text() | st.lists(st.text()) | st.dictionaries(st.text(), st.text()))
@law(200, soak=100_000)
def test_json_says_the_same_afterwards(value: object) -> None:
    assert json.loads(reveal(json.dumps(value, ensure_ascii=False))) == value


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("\x1b[31m", r"\u001b[31m"),
        ("a\u202eb", r"a\u202eb"),
        ("\U000e0041", r"\udb40\udc41"),
        ("\udcff", r"\udcff"),  # a byte of a file's name that is no UTF-8
        ("two\n\tlines", "two\n\tlines"),
        ("Größe, 大きさ, 😀", "Größe, 大きさ, 😀"),
    ],
)
def test_a_hidden_character_is_written_as_json_writes_it(text: str, seen: str) -> None:
    assert reveal(text) == seen


def test_names_in_reports_are_without_what_hides() -> None:
    assert plain("pay\u3164\u202ements\x1b[0m") == "payments[0m"


# --- every command ------------------------------------------------------------------------------


def records(now: datetime) -> Iterator[object]:
    """Some weeks of an organisation in which everything has a hostile name."""
    repository = Repository(id=HOSTILE, name=f"acme/{HOSTILE}", default_branch=HOSTILE)
    yield repository
    for number in range(120):
        at = now - timedelta(hours=12 * number + 1)
        sha, before = f"{number + 1:040x}", f"{number + 2:040x}"
        yield Commit(
            sha=sha, repository=repository.name, parents=(before,), authored_at=at,
            committed_at=at, author=HOSTILE,
        )  # fmt: skip
        yield Change(
            id=f"{HOSTILE}{number}", repository=repository.name, number=number, title=HOSTILE,
            author=HOSTILE, created_at=at - timedelta(hours=5), merged_at=at,
            merge_commit_sha=sha, commit_shas=(sha,), base_branch=HOSTILE, labels=(HOSTILE,),
            url=f"https://example.org/{HOSTILE}",
        )  # fmt: skip
        yield Deployment(
            id=f"{HOSTILE}{number}", service=HOSTILE, repository=repository.name,
            environment="production", status=Status.FAILED if number % 7 == 0 else Status.SUCCEEDED,
            commit_sha=sha, version=HOSTILE, started_at=at, finished_at=at + timedelta(minutes=5),
            url=f"https://example.org/{HOSTILE}",
        )  # fmt: skip
        if number % 5 == 0:
            yield Incident(
                id=f"{HOSTILE}{number}", service=(HOSTILE,), title=HOSTILE, severity=1,
                customer_affecting=True, detected_at=at + timedelta(minutes=20),
                impact_started_at=at + timedelta(minutes=6), resolved_at=at + timedelta(hours=2),
                cause_deployment=f"{HOSTILE}{number}" if number % 2 else f"{HOSTILE}none",
                url=f"https://example.org/{HOSTILE}",
            )  # fmt: skip
    for kind in CoverageKind:
        yield Coverage(
            source=HOSTILE, scope="*", kind=kind, start=now - timedelta(days=60), end=now
        )


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with such a store in it, and files with such names."""
    folder = tmp_path_factory.mktemp("hostile")
    now = datetime.now(UTC).replace(microsecond=0)
    with Store.open(folder / "vpemetrics.db") as store:
        store.save(HOSTILE, records(now))  # type: ignore[arg-type]  # records of every kind
        store.note_collection(HOSTILE, now, now, f"failed: {HOSTILE}")
    (folder / "vpemetrics.toml").write_text(
        f'[organisation]\nname = {toml(HOSTILE)}\n[sources.clone]\ntype = "git"\n'
        f"path = {toml(IN_A_FILE_NAME)}\n",
        encoding="utf-8",
    )
    (folder / IN_A_FILE_NAME).mkdir()
    bad = folder / IN_A_FILE_NAME / "deployments.csv"
    bad.write_text(f"id,environment,status,{HOSTILE}\n1,p,{HOSTILE},x\n", encoding="utf-8")
    (folder / IN_A_FILE_NAME / f"{IN_A_FILE_NAME[:20]}.csv").write_text("id\n")
    return folder


@pytest.fixture
def inside(hostile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(hostile)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("NO_COLOR", raising=False)
    return hostile


RECORD = f"{HOSTILE}5"
COMMANDS = MappingProxyType(
    {
        "report": ["report"],
        "report of a service": ["report", "--service", HOSTILE],
        "report as JSON": ["report", "--json"],
        "report as Markdown": ["report", "--format", "markdown"],
        "report as CSV": ["report", "--format", "csv"],
        "report as a page": ["report", "--format", "html"],
        "status": ["status"],
        "status as JSON": ["status", "--json"],
        "explain a figure": ["explain", "cfr", "--service", HOSTILE, "--all"],
        "explain a lead time": ["explain", "lead-time", "--all"],
        "explain a figure as JSON": ["explain", "cfr", "--json"],
        "explain a deployment": ["explain", RECORD],
        "explain a deployment as JSON": ["explain", RECORD, "--json"],
        "explain nothing": ["explain", f"{HOSTILE} of nothing"],
        "triage": ["triage", "list", "--all"],
        "decide": ["triage", "reject", RECORD, "--why", HOSTILE, "--who", HOSTILE],
        "check": ["check"],
        "check as JSON": ["check", "--json"],
        "collect": ["collect"],
        "collect as JSON": ["collect", "--json"],
        "collect nothing": ["collect", HOSTILE],
        "import": ["import", IN_A_FILE_NAME],
        "import nothing": ["import", f"{IN_A_FILE_NAME}2"],
        "report into no folder": ["report", "-o", f"{IN_A_FILE_NAME}3/week.html"],
        "report into no format": ["report", "-o", f"week.{HOSTILE}"],
        "chart of nothing": ["chart", HOSTILE, "-o", "x.svg"],
        "no such command": [HOSTILE],
        "no such option": ["report", f"--{HOSTILE}"],
        "no such configuration": ["report", "--config", HOSTILE],
        "no such store": ["report", "--store", f"{HOSTILE}.db"],
        "no such variable": ["report", "--store", f"env:{HOSTILE}"],
        "recompute": ["recompute"],
        "init": ["init", HOSTILE, "--yes", "--force"],
        "no such service": ["report", "--service", f"{HOSTILE}x"],
        "no such week": ["report", "--week", HOSTILE],
    }
)


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS.keys())
def test_no_command_lets_such_a_character_out(inside: Path, command: list[str]) -> None:
    result = invoke(*command)

    assert hidden_in(result.stdout) == set()
    assert hidden_in(result.stderr) == set()
    assert result.exit_code in (0, 1, 2)


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS.keys())
def test_nor_to_a_terminal_but_for_colours_and_bars(inside: Path, command: list[str]) -> None:
    written, code = ended(*command)

    shown = BARS.sub("", OURS.sub("", written))
    assert hidden_in(shown) == set()
    assert "\x1b[31;5m" not in written  # no bar's
    assert code in (0, 1, 2)


def test_what_an_organisation_calls_itself_reaches_a_file_without_it(
    inside: Path, tmp_path: Path
) -> None:
    assert invoke("chart", "services", "-o", tmp_path / "services.svg").exit_code == 0
    assert hidden_in((tmp_path / "services.svg").read_text(encoding="utf-8")) == set()
    endings = ("html", "md", "csv", "json", "txt")
    files = [argument for ending in endings for argument in ("-o", tmp_path / f"week.{ending}")]

    assert invoke("report", *files).exit_code == 0

    for ending in endings:
        text = (tmp_path / f"week.{ending}").read_text(encoding="utf-8")
        assert hidden_in(text) == set(), ending


# --- what is said beside ------------------------------------------------------------------------


def test_whatever_a_session_says_is_seen(capsys: pytest.CaptureFixture[str]) -> None:
    session = Session(verbose=True)

    for say in (session.note, session.detail, session.warn, session.fail):
        say(HOSTILE)
    with session.progress(HOSTILE) as shown:
        shown.say(HOSTILE)
    output.print_beside(HOSTILE)

    said = capsys.readouterr().err
    assert hidden_in(said) == set()
    assert said.count(r"\u202e") == 7


def test_a_bar_shows_the_step_and_steers_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with bar(HOSTILE) as shown:
        shown.count_down(timedelta(seconds=5))
        shown(1, 2)
        shown.say(HOSTILE)

    assert hidden_in(capsys.readouterr().err) <= {"0x1b"}  # rich's own


def test_the_log_of_a_crash_quotes_nothing_hidden(
    inside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(_: object) -> None:
        raise RuntimeError(HOSTILE)

    monkeypatch.setattr("vpemetrics.store.store.Store.counts", crash)

    result = invoke("status")

    assert result.exit_code == 3
    assert "this is a bug in vpemetrics: RuntimeError: n" in result.stderr
    assert r"\u202e" in result.stderr
    assert hidden_in(result.stderr) == set()
