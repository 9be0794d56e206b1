"""A configuration that lies in a cloned folder, and wants what it has no business with.

Nothing of the user's goes to a host that the user has not allowed, whatever the command is.
"""

import json
import os
import re
import stat
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shlex import split

import pytest
from commandline import invoke, spawn
from conversation import talked_to
from deploying_world import TOKEN as CANARY
from deploying_world import deploying_world
from github_server.server import SimulatedGitHub
from gitrepository import GitRepository, new_repository
from loopback import serving

from vpemetrics.addresses import host_of
from vpemetrics.config.load import load_found
from vpemetrics.errors import FixConfiguration
from vpemetrics.scheduler.plan import Plan
from vpemetrics.window import parse_week

pytestmark = pytest.mark.slow

SETTINGS = """
[sources.metrics]
type = "{type}"
url = "{url}"
token = "{token}"
{rest}
"""
RESTS = {
    "github": 'repositories = ["acme/*"]',
    "gitlab": 'projects = ["acme/shop"]',
    "pagerduty": "",
}


class Thief(ThreadingHTTPServer):
    """A server that keeps whatever comes."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Ear)
        self.heard: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Ear(BaseHTTPRequestHandler):
    server: Thief

    def do_GET(self) -> None:
        self.server.heard.append(f"{self.command} {self.path}\n{self.headers}")
        self.send_error(404)

    do_POST = do_CONNECT = do_GET  # noqa: N815 (names of HTTP's)

    def log_message(self, format: str, *args: object) -> None:
        """Tests look at what was heard."""


@pytest.fixture
def thief(monkeypatch: pytest.MonkeyPatch) -> Iterator[Thief]:
    """Hears what is sent; who is refused tries again without a pause."""
    monkeypatch.setattr("vpemetrics.collectors.http.client._PAUSES", (0.0, 0.0))
    server = Thief()
    with serving(server):
        yield server


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cloned folder that somebody is in, who has secrets in the environment and at home."""
    for name in list(os.environ):
        if name.startswith(("VPEMETRICS_", "XDG_", "GITHUB_", "GH_")) or "PROXY" in name.upper():
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh" / "id").write_text(CANARY, encoding="utf-8")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", CANARY)
    monkeypatch.setenv("GITHUB_TOKEN", CANARY)
    monkeypatch.setenv("COLUMNS", "200")
    repository = new_repository(tmp_path / "clone")
    repository.commit("Begin")
    monkeypatch.chdir(repository.path)
    return repository.path


def bring(url: str, *, type_: str = "github", token: str = "env:AWS_SECRET_ACCESS_KEY") -> None:
    """Lays the configuration into the clone that came with it."""
    text = SETTINGS.format(type=type_, url=url, token=token, rest=RESTS[type_])
    Path("vpemetrics.toml").write_text(text, encoding="utf-8")


def commands_in(said: str) -> list[str]:
    """The commands that a refusal says to run."""
    return re.findall(r"If it is as you want it: \S+ (.+)", said)


@pytest.mark.parametrize("command", ["collect", "check", "schedule", "check --json"])
@pytest.mark.parametrize("type_", RESTS)
@pytest.mark.parametrize(
    "token", ["env:AWS_SECRET_ACCESS_KEY", "env:GITHUB_TOKEN", "file:~/.ssh/id"]
)
def test_no_secret_goes_to_whom_a_cloned_folder_names(
    clone: Path, thief: Thief, command: str, type_: str, token: str
) -> None:
    bring(f"{thief.url}/api/v3", type_=type_, token=token)

    result = invoke(*command.split())

    assert thief.heard == []
    assert result.exit_code == 1
    assert f"sources.metrics: {token} to {thief.url}" in result.stderr
    assert "Nothing was sent" in result.stderr
    assert commands_in(result.stderr) == [f"trust --config {clone}/vpemetrics.toml"]
    assert f"VPEMETRICS_TRUST={thief.url}" in result.stderr
    assert CANARY not in result.output


@pytest.mark.parametrize(
    "address",
    [
        "{url}/api/v3\\\\.api.github.com",
        "https://api.github.com@127.0.0.1:{port}",
        "https://127.0.0.1:{port}\\\\.api.github.com/",
        "https://api.github.com.127.0.0.1.nip.example",
    ],
)
def test_an_address_that_looks_like_the_vendors_is_not(
    clone: Path, thief: Thief, address: str
) -> None:
    bring(address.format(url=thief.url, port=thief.server_port), token="env:GITHUB_TOKEN")

    result = invoke("collect")

    assert (result.exit_code, thief.heard) == (1, [])
    assert "Nothing was sent" in result.stderr


def test_a_forge_that_only_a_remote_names_gets_nothing_from_init(
    clone: Path, thief: Thief, monkeypatch: pytest.MonkeyPatch
) -> None:
    GitRepository(clone).git("remote", "add", "origin", "git@github.thief.example:acme/shop")
    monkeypatch.setenv("HTTPS_PROXY", thief.url)  # which hears of any host that is asked

    result = invoke("init", "--yes")

    assert (result.exit_code, thief.heard) == (1, [])
    assert "only the remote of a clone names github.thief.example" in result.stderr
    assert "VPEMETRICS_TRUST=github.thief.example vpemetrics init --yes" in result.stderr
    assert not Path("vpemetrics.toml").exists()
    assert CANARY not in result.output
    monkeypatch.setenv("VPEMETRICS_TRUST", "github.thief.example")
    invoke("init", "--yes")
    assert thief.heard  # so it would have been heard before


def test_what_init_would_collect_with_is_not_taken_from_the_clone(
    clone: Path, thief: Thief
) -> None:
    bring(f"{thief.url}/api/v3")

    result = invoke("init", "--yes")

    assert (result.exit_code, thief.heard) == (1, [])
    assert "is there already" in result.stderr


def test_once_allowed_it_is_sent_until_another_host_or_secret_comes(clone: Path) -> None:
    with SimulatedGitHub(deploying_world()) as github, SimulatedGitHub(deploying_world()) as other:
        bring(github.url)
        [command] = commands_in(invoke("collect").stderr)
        assert github.requests == 0

        allowed = invoke(*split(command), "--yes")
        collected = invoke("collect")
        asked = github.requests
        with Path("vpemetrics.toml").open("a", encoding="utf-8") as file:
            file.write('since = 2026-01-01\n[organisation]\nname = "Acme"\n')
        edited = invoke("collect")

        assert [allowed.exit_code, collected.exit_code, edited.exit_code] == [0, 0, 0]
        assert github.requests > asked > 0

        bring(other.url)
        assert "Nothing was sent" in invoke("collect").stderr
        bring(github.url, token="file:~/.ssh/id")
        asked = github.requests
        assert "Nothing was sent" in invoke("collect").stderr
        assert (github.requests, other.requests) == (asked, 0)


def test_trust_in_one_file_is_none_in_another(clone: Path, thief: Thief, tmp_path: Path) -> None:
    bring(thief.url)
    assert invoke("trust", "--yes").exit_code == 0
    below = clone / "vendored"
    below.mkdir()
    os.chdir(below)
    bring(thief.url)

    result = invoke("collect")

    assert (result.exit_code, thief.heard) == (1, [])


def test_a_person_on_a_terminal_is_asked_and_may_refuse(clone: Path, thief: Thief) -> None:
    bring(f"{thief.url}/api/v3")

    said, questions = talked_to("collect", "", ends_with=1)

    assert thief.heard == []
    assert f"sources.metrics: env:AWS_SECRET_ACCESS_KEY to {thief.url}" in said
    assert [question.strip() for question in questions] == ["Allow it from now on? [y/N]:"]
    assert "not allowed; nothing was sent" in said

    talked_to("collect", "y", ends_with=1)
    assert thief.heard  # by whoever said yes
    heard = len(thief.heard)
    talked_to("collect", ends_with=1)  # and is asked no more
    assert len(thief.heard) > heard


@pytest.mark.parametrize("how", ["named", "environment", "own folder"])
def test_nobody_is_asked_about_what_they_said_themselves(
    clone: Path, thief: Thief, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    bring(f"{thief.url}/api/v3")
    named = ["--config", "vpemetrics.toml"] if how == "named" else []
    if how == "environment":
        monkeypatch.setenv("VPEMETRICS_TRUST", f"db.example, {thief.url}")
    if how == "own folder":
        own = Path.home() / ".config" / "vpemetrics"
        own.mkdir(parents=True)
        Path("vpemetrics.toml").rename(own / "vpemetrics.toml")

    result = invoke("collect", *named)

    assert "Nothing was sent" not in result.stderr
    assert thief.heard


def test_a_documented_token_may_go_to_its_vendor(
    clone: Path, thief: Thief, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring("https://api.github.com", token="env:GITHUB_TOKEN")
    monkeypatch.setenv("HTTPS_PROXY", thief.url)

    result = invoke("check")

    assert "Nothing was sent" not in result.stderr
    assert any(heard.startswith("CONNECT api.github.com:443") for heard in thief.heard)
    assert not any(CANARY in heard for heard in thief.heard)  # which TLS hides


@pytest.mark.parametrize("command", ["report", "status", "collect", "recompute", "import ."])
@pytest.mark.parametrize(
    ("store", "place"),
    [
        ("env:DATABASE_URL", "env:DATABASE_URL to db.thief.example:5433"),
        ("postgresql://db.thief.example/x", "data to db.thief.example"),
        ("postgresql://db.acme.example/x?host=db.thief.example", "data to host=db.thief.example"),
        ("env:AWS_SECRET_ACCESS_KEY", "env:AWS_SECRET_ACCESS_KEY to (a file)"),
        ("../home/.ssh/x.db", "data to {home}/.ssh/x.db"),
        ("link.db", "data to {home}/.ssh/x.db"),
        ("~/x.db", "data to {home}/x.db"),
        ("sqlite:////srv/x.db", "data to /srv/x.db"),
    ],
)
def test_a_store_elsewhere_is_not_entered(
    clone: Path, monkeypatch: pytest.MonkeyPatch, command: str, store: str, place: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"postgresql://me:{CANARY}@db.thief.example:5433/x")
    (clone / "link.db").symlink_to(Path.home() / ".ssh" / "x.db")
    text = f'store = "{store}"\n[sources.shop]\ntype = "git"\n'
    Path("vpemetrics.toml").write_text(text, encoding="utf-8")
    before = sorted(Path.home().rglob("*"))

    result = invoke(*command.split())

    assert result.exit_code == 1
    assert f"store: {place.format(home=Path.home())}" in result.stderr
    assert "Nothing was sent" in result.stderr
    assert CANARY not in result.output
    assert sorted(Path.home().rglob("*")) == before


@pytest.mark.parametrize(
    "store", ["", 'store = "data/x.db"\n', 'store = "~/.local/share/vpemetrics/x.db"\n']
)
def test_a_store_in_the_folder_or_among_the_users_data_needs_no_trust(
    clone: Path, store: str
) -> None:
    (clone / "data").mkdir()
    (Path.home() / ".local" / "share" / "vpemetrics").mkdir(parents=True)
    Path("vpemetrics.toml").write_text(f'{store}[sources.shop]\ntype = "git"\n', encoding="utf-8")

    result = invoke("collect")

    assert result.exit_code == 0, result.stderr


def test_a_store_that_is_a_link_out_of_the_clone_is_not_followed(clone: Path) -> None:
    (clone / "vpemetrics.db").symlink_to(Path.home() / "cookies.db")
    Path("vpemetrics.toml").write_text('[sources.shop]\ntype = "git"\n', encoding="utf-8")

    result = invoke("collect")

    assert result.exit_code == 1
    assert f"store: data to {Path.home()}/cookies.db" in result.stderr
    assert not (Path.home() / "cookies.db").exists()


@pytest.mark.parametrize(
    "output", ["/srv/www/{week}.html", "~/{week}.html", "../x/{week}.md", "out/{week}.html"]
)
def test_reports_are_not_written_elsewhere(clone: Path, output: str) -> None:
    (clone / "out").symlink_to(Path.home() / ".ssh")
    text = f'[schedule]\noutput = "{output}"\n[sources.shop]\ntype = "git"\n'
    Path("vpemetrics.toml").write_text(text, encoding="utf-8")
    before = sorted(Path.home().rglob("*"))

    result = invoke("schedule")

    assert result.exit_code == 1
    assert "schedule.output: data to " in result.stderr
    assert sorted(Path.home().rglob("*")) == before


@pytest.mark.needs_root
@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize("command", ["collect", "check", "schedule", "report", "status", "trust"])
def test_a_configuration_above_that_somebody_else_owns_is_refused(
    clone: Path, thief: Thief, command: str
) -> None:
    os.chdir(clone.parent)
    bring(thief.url)
    file = Path("vpemetrics.toml").absolute()
    os.chown(file, 1234, 1234)
    os.chdir(clone)

    result = invoke(command)

    assert (result.exit_code, thief.heard) == (1, [])
    assert f"{file} belongs to 1234, so it is not read" in result.stderr
    assert f"chown root {file}" in result.stderr


def test_a_configuration_that_everybody_may_change_is_refused(clone: Path, thief: Thief) -> None:
    bring(thief.url)
    Path("vpemetrics.toml").chmod(0o666)

    result = invoke("collect")

    assert (result.exit_code, thief.heard) == (1, [])
    assert "can be written by everybody" in result.stderr
    assert f"chmod go-w {clone}/vpemetrics.toml" in result.stderr


def test_without_a_configuration_nothing_is_asked(clone: Path) -> None:
    assert invoke("collect").exit_code == 0


def test_the_demo_works_without_a_question(tmp_path: Path, clone: Path) -> None:
    assert spawn("demo", "demo", "--until", "2026-09-07").returncode == 0
    os.chdir("demo")

    for command in ("report", "check", "collect"):
        result = invoke(command)
        assert result.exit_code == 0, result.stderr


def test_what_init_wrote_is_trusted(
    clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SimulatedGitHub(deploying_world()) as github:
        monkeypatch.setenv("GITHUB_API_URL", github.url)

        begun = invoke("init", "acme/*", "--yes")
        collected = invoke("collect")

    assert (begun.exit_code, collected.exit_code) == (0, 0), begun.stderr + collected.stderr
    record = Path.home() / ".config" / "vpemetrics" / "trust.json"
    assert stat.S_IMODE(record.stat().st_mode) == 0o600
    [entry] = json.loads(record.read_text())["files"][f"{clone}/vpemetrics.toml"]
    assert (entry["what"], entry["to"]) == ("env:GITHUB_TOKEN", host_of(github.url))
    assert CANARY not in record.read_text()


def test_a_report_of_a_week_is_not_written_through_a_link(clone: Path) -> None:
    text = '[sources.shop]\ntype = "git"\n'
    Path("vpemetrics.toml").write_text(text, encoding="utf-8")
    week = parse_week("2026-W36", "UTC")
    plan = Plan.of(load_found(clone / "vpemetrics.toml", os.environ), "x.db")
    (clone / "reports").mkdir()
    assert plan.path(week).parent == clone / "reports"
    (clone / "reports" / f"{week.label}.html").symlink_to(Path.home() / ".bashrc")

    with pytest.raises(FixConfiguration, match="is a link that leads out of"):
        plan.path(week)
