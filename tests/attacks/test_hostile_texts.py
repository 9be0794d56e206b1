"""Texts that would steer a terminal, turn others round or hide in them, in every place for texts.

What any command writes holds no such character but the colours that are ours.
"""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
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


def records(now: datetime, name: str) -> Iterator[object]:
    """Some weeks of an organisation in which everything has a hostile name."""
    repository = Repository(id=name, name=f"acme/{name}", default_branch=name)
    yield repository
    for number in range(120):
        at = now - timedelta(hours=12 * number + 1)
        sha, before = f"{number + 1:040x}", f"{number + 2:040x}"
        yield Commit(
            sha=sha, repository=repository.name, parents=(before,), authored_at=at,
            committed_at=at, author=name,
        )  # fmt: skip
        yield Change(
            id=f"{name}{number}", repository=repository.name, number=number, title=name,
            author=name, created_at=at - timedelta(hours=5), merged_at=at,
            merge_commit_sha=sha, commit_shas=(sha,), base_branch=name, labels=(name,),
            url=f"https://example.org/{name}",
        )  # fmt: skip
        yield Deployment(
            id=f"{name}{number}", service=name, repository=repository.name,
            environment="production", status=Status.FAILED if number % 7 == 0 else Status.SUCCEEDED,
            commit_sha=sha, version=name, started_at=at, finished_at=at + timedelta(minutes=5),
            url=f"https://example.org/{name}",
        )  # fmt: skip
        if number % 5 == 0:
            yield Incident(
                id=f"{name}{number}", service=(name,), title=name, severity=1,
                customer_affecting=True, detected_at=at + timedelta(minutes=20),
                impact_started_at=at + timedelta(minutes=6), resolved_at=at + timedelta(hours=2),
                cause_deployment=f"{name}{number}" if number % 2 else f"{name}none",
                url=f"https://example.org/{name}",
            )  # fmt: skip
    for kind in CoverageKind:
        yield Coverage(source=name, scope="*", kind=kind, start=now - timedelta(days=60), end=now)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with such a store in it, and files with such names."""
    return filled(tmp_path_factory.mktemp("hostile"), HOSTILE)


def filled(folder: Path, name: str) -> Path:
    """The folder with a store in which everything has a name, and files that are called so."""
    in_a_file_name = name.replace("/", "")
    now = datetime.now(UTC).replace(microsecond=0)
    with Store.open(folder / "vpemetrics.db") as store:
        store.save(name, records(now, name))  # type: ignore[arg-type]  # records of every kind
        store.note_collection(name, now, now, f"failed: {name}")
    (folder / "vpemetrics.toml").write_text(
        f'[organisation]\nname = {toml(name)}\n[sources.clone]\ntype = "git"\n'
        f"path = {toml(in_a_file_name)}\n",
        encoding="utf-8",
    )
    (folder / in_a_file_name).mkdir()
    bad = folder / in_a_file_name / "deployments.csv"
    bad.write_text(f"id,environment,status,{name}\n1,p,{name},x\n", encoding="utf-8")
    (folder / in_a_file_name / f"{in_a_file_name[:20]}.csv").write_text("id\n")
    return folder


@pytest.fixture
def inside(hostile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(hostile)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("NO_COLOR", raising=False)
    return hostile


def commands(name: str) -> Mapping[str, list[str]]:
    """Commands that come upon names like this one, or are given it."""
    in_a_file_name, record = name.replace("/", ""), f"{name}5"
    return {
        "report": ["report"],
        "report of a service": ["report", "--service", name],
        "report as JSON": ["report", "--json"],
        "report as Markdown": ["report", "--format", "markdown"],
        "report as CSV": ["report", "--format", "csv"],
        "report as a page": ["report", "--format", "html"],
        "status": ["status"],
        "status as JSON": ["status", "--json"],
        "explain a figure": ["explain", "cfr", "--service", name, "--all"],
        "explain a lead time": ["explain", "lead-time", "--all"],
        "explain a figure as JSON": ["explain", "cfr", "--json"],
        "explain a deployment": ["explain", record],
        "explain a deployment as JSON": ["explain", record, "--json"],
        "explain nothing": ["explain", f"{name} of nothing"],
        "triage": ["triage", "list", "--all"],
        "decide": ["triage", "reject", record, "--why", name, "--who", name],
        "check": ["check"],
        "check as JSON": ["check", "--json"],
        "collect": ["collect"],
        "collect as JSON": ["collect", "--json"],
        "collect nothing": ["collect", name],
        "import": ["import", in_a_file_name],
        "import nothing": ["import", f"{in_a_file_name}2"],
        "report into no folder": ["report", "-o", f"{in_a_file_name}3/week.html"],
        "report into no format": ["report", "-o", f"week.{name}"],
        "chart of nothing": ["chart", name, "-o", "x.svg"],
        "no such command": [name],
        "no such option": ["report", f"--{name}"],
        "no such configuration": ["report", "--config", name],
        "no such store": ["report", "--store", f"{name}.db"],
        "no such variable": ["report", "--store", f"env:{name}"],
        "recompute": ["recompute"],
        "init": ["init", name, "--yes", "--force"],
        "no such service": ["report", "--service", f"{name}x"],
        "no such week": ["report", "--week", name],
    }


COMMANDS = MappingProxyType(commands(HOSTILE))


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


# --- lines --------------------------------------------------------------------------------------

FORGED = "shop\nerror: forged\nwarning: forged\nforged\n  forged: env:X to x   (allowed)"
OF_LINES = MappingProxyType(
    {
        what: command
        for what, command in commands(FORGED).items()
        if not {"--json", "csv", "html"} & {*command}  # which write a line break as they must
    }
)


@pytest.fixture(scope="module")
def forging(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return filled(tmp_path_factory.mktemp("forging"), FORGED)


@pytest.mark.parametrize("command", OF_LINES.values(), ids=OF_LINES.keys())
def test_no_name_begins_a_line_that_looks_like_ours(
    forging: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.chdir(forging)
    monkeypatch.setenv("HOME", str(tmp_path))
    given = any(FORGED in argument for argument in command)

    result = invoke(*command)

    own = ("error: forged", "warning: forged", "forged")
    assert [line for line in result.stdout.splitlines() if line.startswith(own)] == []
    if not (given and result.exit_code == 2):  # a usage error quotes what its user typed
        assert [line for line in result.stderr.splitlines() if line.startswith(own)] == []
    assert result.exit_code in (0, 1, 2)


def test_what_would_be_sent_where_is_a_line_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "file:~/x\n  sources.a: env:GITHUB_TOKEN to api.github.com   (its vendor's own)"
    (tmp_path / "vpemetrics.toml").write_text(
        f'[sources.{toml(FORGED)}]\ntype = "pagerduty"\ntoken = {toml(secret)}\n',
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))

    shown, refused = invoke("trust"), invoke("collect")

    listed = [line for line in shown.stdout.splitlines() if line.startswith("  ")]
    assert len(listed) == 1
    assert listed[0].endswith("(not allowed so far)")
    assert not any("(its vendor's own)" in line[-30:] for line in listed)
    assert refused.stderr.count("would send") == 1
    [told] = [line for line in refused.stderr.splitlines() if "env:GITHUB_TOKEN" in line]
    assert "file:~/x" in told


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
