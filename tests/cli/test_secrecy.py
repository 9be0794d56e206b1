"""The token of a whole collection is nowhere to be read: not said, kept or shown to others."""

import json
import os
import shutil
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from commandline import command_of
from github_server.answer import Answer, Request
from github_server.faults import Fault, Faults, Reply, only
from github_server.from_mirror import Deployed, mirrored
from github_server.server import SimulatedGitHub
from github_with_git import with_git
from gitrepository import GitRepository
from subprocesses import PATIENCE, environment

from vpemetrics.addresses import host_of

pytestmark = pytest.mark.slow

TOKEN = "canary-0123456789abcdef0123456789"
"""Of no known shape: it is kept secret by care, as no pattern finds and hides it."""


ENCODED = b64encode(f"x-access-token:{TOKEN}".encode())[:-4]

SETTINGS = """
[sources.github]
type = "github"
url = "{url}"
token = "{token}"
repositories = ["acme/*"]
since = 2026-01-01
clone = true
incidents = {{ labels = ["incident"] }}
"""

# Everything that any library says, as loud as can be; and where it is wanted one that breaks, and
# quotes what it was given.
LOUD = """
import http.client, logging, os
logging.basicConfig(level=logging.DEBUG)
def putheader(self, name, *values):
    if name == "Authorization":
        raise RuntimeError(f"a library breaks over {name}: {values}")
    whole(self, name, *values)
whole = http.client.HTTPConnection.putheader
if "BROKEN_LIBRARY" in os.environ:
    http.client.HTTPConnection.putheader = putheader
"""

# Notes with what git is called, and in which environment, before it does what it is to do.
OBSERVED = """#!{python} -S
import json, os, sys
with open({noted!r}, "a") as notes:
    print(json.dumps([sys.argv, dict(os.environ)]), file=notes)
os.execv({program!r}, [{program!r}, *sys.argv[1:]])
"""


def is_in(text: bytes) -> bool:
    """Whether a text has the token in it, as it is or as headers have it."""
    return TOKEN.encode() in text or ENCODED in text


def echo(request: Request, _reply: Reply) -> Answer:
    """Some proxies send back what they do not like."""
    return Answer(status=403, body={"message": f"refused: {request.headers}"})


def odd(request: Request, reply: Reply) -> Answer:
    """What nobody expects: what was sent stands where objects belong."""
    answer = reply()
    data = dict.fromkeys(answer.body["data"], request.headers["authorization"])
    return Answer(headers=answer.headers, body={"data": data})


@dataclass
class Person:
    """Somebody in a folder of their own who runs vpemetrics with all that can be observed of it."""

    folder: Path
    home: Path
    environment: dict[str, str]
    fault: Fault | None = None
    said: list[bytes] = field(default_factory=list)
    running: set[bytes] = field(default_factory=set)

    def run(self, *arguments: str) -> int:
        """Runs a command; its exit code."""
        done = subprocess.run(
            command_of(*arguments),
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
        self.said += [done.stdout, done.stderr]
        return done.returncode

    def notice(self) -> None:
        """What other people see of all processes that are running."""
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                self.running.add((process / "cmdline").read_bytes())

    def called(self) -> list[tuple[list[str], str]]:
        """With what git was called, and its environment."""
        notes = (self.home / "notes").read_text(encoding="utf-8")
        found = (json.loads(line) for line in notes.splitlines())
        return [(words, str(environ)) for words, environ in found]

    def kept(self) -> dict[Path, bytes]:
        """All files that were left anywhere, but that of the token and the notes on git."""
        files = (one for one in self.home.rglob("*") if one.is_file() and not one.is_symlink())
        given = (self.home / "token", self.home / "notes")
        return {one: one.read_bytes() for one in files if one not in given}


@pytest.fixture
def person(tmp_path: Path) -> Iterator[Person]:
    origin = repository(tmp_path / "origin" / "acme" / "shop.git")
    head = origin.head()
    world = mirrored(origin.path, "acme/shop", [Deployed(head, origin.at)])
    home = tmp_path / "home"
    one = Person(folder=home / "work", home=home, environment=observed(home))
    weather = Faults(always=(lambda request, reply: answer(one.fault, request, reply),))
    one.folder.mkdir()
    (home / "token").write_text(f"{TOKEN}\n", encoding="utf-8")
    with (
        SimulatedGitHub(world, faults=weather) as github,
        with_git(github.url, tmp_path / "origin", token=TOKEN, meanwhile=one.notice) as url,
    ):
        settings = SETTINGS.format(url=url, token=f"file:{home / 'token'}")
        (one.folder / "vpemetrics.toml").write_text(settings, encoding="utf-8")
        one.environment["VPEMETRICS_TRUST"] = str(host_of(url))
        yield one


def answer(fault: Fault | None, request: Request, reply: Reply) -> Answer:
    return fault(request, reply) if fault else reply()


def repository(path: Path) -> GitRepository:
    """One with a squashed pull request."""
    path.mkdir(parents=True)
    made = GitRepository(path)
    made.git("init", "-q", "-b", "main")
    made.git("config", "uploadpack.allowFilter", "true")
    base = made.commit("First")
    made.git("update-ref", "refs/pull/1/head", made.commit("Work", base))
    made.git("update-ref", "HEAD", base)
    made.commit("Mend (#1)")
    return made


def observed(home: Path) -> dict[str, str]:
    """The environment in which all libraries are loud and calls of git are noted."""
    programs, loud = home / "bin", home / "loud"
    programs.mkdir(parents=True)
    loud.mkdir()
    (loud / "sitecustomize.py").write_text(LOUD, encoding="utf-8")
    git = programs / "git"
    git.write_text(
        OBSERVED.format(
            python=sys.executable, noted=str(home / "notes"), program=shutil.which("git")
        ),
        encoding="utf-8",
    )
    git.chmod(0o755)
    inherited = environment()
    return inherited | {
        "HOME": str(home),
        "PATH": f"{programs}{os.pathsep}{inherited['PATH']}",
        "PYTHONPATH": f"{loud}{os.pathsep}{inherited['PYTHONPATH']}",
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_STATE_HOME": str(home / "state"),
    }


def test_a_token_is_only_where_it_is_needed(person: Person) -> None:
    codes = [
        person.run("check", "-v"),
        person.run("collect", "-v"),
        person.run("status"),
        person.run("report", "-o", "week.html"),
        person.run("report", "--json"),
        person.run("export", "exported"),
    ]
    person.fault = only(echo, path="/graphql")
    codes.append(person.run("collect", "-v"))
    person.fault = only(odd, path="/graphql")
    codes.append(person.run("collect", "-v"))

    assert codes == [0, 0, 0, 0, 0, 0, 1, 1]
    assert leaks(person) == []
    said, kept = b"".join(person.said), person.kept()
    assert b"DEBUG:urllib3" in said  # all were listened to
    assert b"(hidden)" in said  # what was sent back
    assert {one.suffix for one in kept} >= {".db", ".html", ".csv", ".pack", ".toml"}
    assert any(b"remote-http" in line for line in person.running)
    with_token = {
        command
        for words, environ in person.called()
        if ENCODED.decode() in environ
        for command in ("clone", "fetch", "ls-remote", "log", "config")
        if command in words
    }
    assert with_token == {"clone"}
    assert not any(TOKEN in environ for _, environ in person.called())


def test_a_token_that_git_is_refused_for_is_not_shown(person: Person) -> None:
    (person.home / "token").write_text(f"{TOKEN}x", encoding="utf-8")

    assert person.run("collect", "-v") == 1
    assert b"git could not fetch" in person.said[-1]
    assert leaks(person) == []


def test_the_log_of_a_crash_is_without_it(person: Person) -> None:
    person.environment["BROKEN_LIBRARY"] = "yes"

    codes = [person.run("collect", "-v"), person.run("collect"), person.run("check")]

    assert codes == [3, 3, 3]
    assert leaks(person) == []
    logs = [path for path in person.kept() if path.match("vpemetrics/error-*.log")]
    assert len(logs) == 3
    for path in logs:
        log = path.read_text(encoding="utf-8")
        assert "builtins.RuntimeError" in log
        assert "in putheader" in log  # where it happened, so that it can be mended
        assert "breaks over Authorization" not in log  # what it said, in which anything may be
    said = b"".join(person.said).decode()
    assert said.count("this is a bug in vpemetrics: RuntimeError: a library breaks over") == 3
    assert said.count(f"A log without your data is in {person.home}") == 3


def leaks(person: Person) -> list[object]:
    """Where the token is to be read that is none of its business."""
    found: list[object] = [one for one in person.said if is_in(one)]
    found += [path for path, content in person.kept().items() if is_in(content)]
    found += [line for line in person.running if is_in(line)]
    return found
