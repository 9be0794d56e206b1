"""The trust in what a found configuration sends: for a file, a secret and a place, once."""

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest

from vpemetrics.collectors.base import Vendor
from vpemetrics.collectors.github.options import App
from vpemetrics.collectors.github.options import Options as GitHub
from vpemetrics.collectors.gitlab import Options as GitLab
from vpemetrics.collectors.gitops.options import Options as GitOps
from vpemetrics.collectors.pagerduty import Options as PagerDuty
from vpemetrics.config.load import load, load_found
from vpemetrics.config.sources import configured_sources
from vpemetrics.config.trust import (
    FORMAT,
    Disclosure,
    allow,
    decisions,
    path_disclosure,
    refusal,
    revoke,
    secrets_of,
    source_disclosures,
    untrusted,
)
from vpemetrics.errors import FixConfiguration
from vpemetrics.records import AuditEntry

NOW = datetime(2026, 9, 7, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Board:
    """A source of another package, with settings of all kinds."""

    url: str = "https://board.example"
    token: str = "env:BOARD_TOKEN"
    site: str = ""
    keys: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Placeless:
    """One that knows by itself where it is, or by a setting that is no address."""

    vendor: ClassVar = Vendor(hosts=("board.example",), tokens=("env:BOARD_TOKEN",))

    password: str
    site: str = "eu"


def sent(options: Any) -> list[tuple[str, str, bool]]:
    """What the source of some options sends where, and whether nobody is asked about that."""
    return [(one.what, one.to, one.is_usual) for one in source_disclosures("x", options)]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (GitHub(repositories=("a/*",), token="gh"), [("gh", "api.github.com", True)]),
        (
            GitHub(repositories=("a/*",), token="env:GH_TOKEN", clone=True),
            [("env:GH_TOKEN", "api.github.com", True), ("env:GH_TOKEN", "github.com", True)],
        ),
        (
            GitHub(repositories=("a/*",), token="env:T", url="https://api.b.example", clone=True),
            [("env:T", "api.b.example", False), ("env:T", "b.example", False)],
        ),
        (
            GitHub(repositories=("a/*",), app=App(id=1, private_key="file:key.pem")),
            [("file:key.pem", "api.github.com", False)],
        ),
        (
            GitHub(repositories=("a/*",), token="env:GITLAB_TOKEN"),
            [("env:GITLAB_TOKEN", "api.github.com", False)],
        ),
        (
            GitHub(repositories=("a/*",), token="gh", url="http://api.github.com"),
            [("gh", "http://api.github.com:80", False)],
        ),
        (
            GitLab(token="env:GITLAB_TOKEN", projects=("a/b",)),
            [("env:GITLAB_TOKEN", "gitlab.com", True)],
        ),
        (
            PagerDuty(token="env:PAGERDUTY_TOKEN", url="https://api.eu.pagerduty.com"),
            [("env:PAGERDUTY_TOKEN", "api.eu.pagerduty.com", True)],
        ),
        (PagerDuty(token="file:~/pd"), [("file:~/pd", "api.pagerduty.com", False)]),
        (GitOps(subject="(?P<service>.)(?P<version>.)", environment="live"), []),
        (Board(), [("env:BOARD_TOKEN", "board.example", False)]),
        (
            Board(keys=("file:a", "plain"), headers={"x": "env:B", "y": "http://other.example"}),
            [
                (what, to, False)
                for what in ("env:BOARD_TOKEN", "file:a", "env:B")
                for to in ("board.example", "http://other.example:80")
            ],
        ),
    ],
)
def test_each_secret_goes_to_every_address_of_its_source(
    options: Any, expected: list[tuple[str, str, bool]]
) -> None:
    assert sent(options) == expected


def test_where_no_setting_is_an_address_every_setting_counts() -> None:
    [(what, place, is_usual)] = sent(Placeless(password="env:BOARD_TOKEN"))
    [(_, other, _)] = sent(Placeless(password="env:BOARD_TOKEN", site="us"))

    assert (what, is_usual) == ("env:BOARD_TOKEN", False)
    assert place.startswith("(no setting says where, ")
    assert place != other


def test_a_word_is_only_a_login_where_a_secret_belongs() -> None:
    assert secrets_of(Board(site="gh", token="gh")) == ("gh",)


FILE = "vpemetrics.toml"
ONE = Disclosure(setting="sources.a", what="env:A", to="a.example")


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"XDG_CONFIG_HOME": str(tmp_path / "config")}


@pytest.mark.parametrize(
    ("other", "is_asked"),
    [
        (ONE, False),
        (Disclosure(setting="sources.renamed", what="env:A", to="a.example"), False),
        (Disclosure(setting="sources.a", what="env:B", to="a.example"), True),
        (Disclosure(setting="sources.a", what="env:A", to="b.example"), True),
        (Disclosure(setting="sources.a", what="env:A", to="a.example:8443"), True),
        (Disclosure(setting="sources.a", what="env:A", to="http://a.example:80"), True),
        (Disclosure(setting="x", what="env:X", to="x.example", is_usual=True), False),
    ],
)
def test_what_was_allowed_holds_for_a_secret_and_a_place(
    tmp_path: Path, environ: dict[str, str], other: Disclosure, is_asked: bool
) -> None:
    allow(tmp_path / FILE, [ONE], environ, NOW)

    assert untrusted(tmp_path / FILE, [ONE, other], environ) == ([other] if is_asked else [])
    assert untrusted(tmp_path / "other" / FILE, [ONE], environ) == [ONE]


def test_secrets_that_change_places_are_asked_for_again(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    pairs = [("env:A", "a.example"), ("env:B", "b.example")]
    both = [Disclosure(setting="s", what=what, to=to) for what, to in pairs]
    allow(tmp_path / FILE, both, environ, NOW)

    crossed = Disclosure(setting="s", what="env:A", to="b.example")

    assert untrusted(tmp_path / FILE, [*both, crossed], environ) == [crossed]


def test_a_file_is_the_same_by_whatever_way_one_comes(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "way").symlink_to(tmp_path / "real")
    allow(tmp_path / "way" / FILE, [ONE], environ, NOW)

    assert untrusted(tmp_path / "real" / FILE, [ONE], environ) == []


def test_a_link_to_a_trusted_file_is_trusted_for_nothing(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    (tmp_path / FILE).touch()
    (tmp_path / "clone").mkdir()
    (tmp_path / "clone" / FILE).symlink_to(tmp_path / FILE)
    allow(tmp_path / FILE, [ONE], environ, NOW)

    assert untrusted(tmp_path / "clone" / FILE, [ONE], environ) == [ONE]


def test_the_record_is_its_owners_alone_and_grows(
    tmp_path: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "ada")
    mask = os.umask(0)
    try:
        allow(tmp_path / FILE, [ONE], environ, NOW)
    finally:
        os.umask(mask)
    allow(tmp_path / FILE, [ONE, Disclosure(setting="b", what="env:B", to="b")], environ, NOW)

    path = tmp_path / "config" / "vpemetrics" / "trust.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert json.loads(path.read_text()) == {
        "format": FORMAT,
        "files": {
            str(tmp_path / FILE): [
                {"what": "env:A", "to": "a.example", "since": "2026-09-07T12:00:00Z"},
                {"what": "env:B", "to": "b", "since": "2026-09-07T12:00:00Z"},
            ]
        },
        "decisions": [
            {
                "action": "trust",
                "what": what,
                "to": to,
                "when": "2026-09-07T12:00:00Z",
                "who": "ada",
                "file": str(tmp_path / FILE),
            }
            for what, to in (("env:A", "a.example"), ("env:B", "b"))
        ],
    }
    assert list(path.parent.iterdir()) == [path]


def test_what_is_taken_back_is_asked_for_again(tmp_path: Path, environ: dict[str, str]) -> None:
    data = Disclosure(setting="store", what="store", to="/srv/x.db")
    for file in (tmp_path / FILE, tmp_path / "other" / FILE):
        allow(file, [ONE, data], environ, NOW)

    gone = revoke(tmp_path / FILE, environ, NOW + HOUR)

    assert list(map(str, gone)) == ["env:A to a.example", "data to /srv/x.db"]
    assert untrusted(tmp_path / FILE, [ONE, data], environ) == [ONE, data]
    assert untrusted(tmp_path / "other" / FILE, [ONE, data], environ) == []
    assert revoke(tmp_path / FILE, environ, NOW) == []


def test_every_decision_is_kept_for_the_audit_log(
    tmp_path: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "ada")
    file = tmp_path / FILE
    assert decisions(file, environ) == []

    allow(file, [ONE], environ, NOW)
    allow(tmp_path / "other" / FILE, [ONE], environ, NOW)
    allow(file, [ONE], environ, NOW + HOUR)  # which decides nothing new
    revoke(file, environ, NOW + 2 * HOUR)

    about = {"subject": "env:A to a.example", "what": f"for {file}", "who": "ada"}
    assert decisions(file, environ) == [
        AuditEntry(action="trust", when=NOW, **about),
        AuditEntry(action="trust revoke", when=NOW + 2 * HOUR, **about),
    ]


@pytest.mark.parametrize("odd", [None, {}, [1], [{}], [{"file": "F", "when": "soon"}]])
def test_decisions_that_are_none_are_passed_over(
    tmp_path: Path, environ: dict[str, str], odd: Any
) -> None:
    path = tmp_path / "config" / "vpemetrics" / "trust.json"
    allow(tmp_path / FILE, [ONE], environ, NOW)
    said = json.loads(path.read_text())
    text = json.dumps({**said, "decisions": odd})
    path.write_text(text.replace('"F"', json.dumps(str(tmp_path / FILE))))

    assert decisions(tmp_path / FILE, environ) == []
    assert untrusted(tmp_path / FILE, [ONE], environ) == []


@pytest.mark.parametrize("text", ["", "[]", "{", '{"format": "vpemetrics-trust/2"}', "[" * 10_000])
def test_a_record_that_is_none_allows_nothing(
    tmp_path: Path, environ: dict[str, str], text: str
) -> None:
    path = tmp_path / "config" / "vpemetrics" / "trust.json"
    path.parent.mkdir(parents=True)
    path.write_text(text)

    for use in (
        lambda: untrusted(tmp_path / FILE, [ONE], environ),
        lambda: allow(tmp_path / FILE, [ONE], environ, NOW),
    ):
        with pytest.raises(FixConfiguration, match="is no record of trust"):
            use()
    assert path.read_text() == text


@pytest.mark.parametrize("files", [[], {"F": {}}, {"F": [1, {}, {"what": "env:A"}]}, {"F": None}])
def test_what_is_odd_in_a_record_allows_nothing(
    tmp_path: Path, environ: dict[str, str], files: Any
) -> None:
    path = tmp_path / "config" / "vpemetrics" / "trust.json"
    path.parent.mkdir(parents=True)
    own = {str(tmp_path / FILE): files["F"]} if files else files
    path.write_text(json.dumps({"format": FORMAT, "files": own}))

    assert untrusted(tmp_path / FILE, [ONE], environ) == [ONE]


def test_without_a_home_there_is_the_variable(tmp_path: Path) -> None:
    with pytest.raises(FixConfiguration, match="VPEMETRICS_TRUST"):
        allow(tmp_path / FILE, [ONE], {}, NOW)

    assert untrusted(tmp_path / FILE, [ONE], {"VPEMETRICS_TRUST": "b.example, a.example"}) == []
    assert untrusted(tmp_path / FILE, [ONE], {"VPEMETRICS_TRUST": "*"}) == [ONE]
    assert untrusted(tmp_path / FILE, [ONE], {"VPEMETRICS_TRUST": "example"}) == [ONE]
    assert untrusted(tmp_path / FILE, [ONE], {"VPEMETRICS_TRUST": ""}) == [ONE]


@pytest.mark.parametrize(
    ("path", "leaves"),
    [
        ("x.db", False),
        ("sub/x.db", False),
        ("../x.db", True),
        ("sub/../../x.db", True),
        ("/srv/x.db", True),
        ("inside/x.db", False),
        ("outside/x.db", True),
        ("{home}/.local/share/vpemetrics/x.db", False),
        ("{home}/.cache/vpemetrics/x.db", False),
        ("{home}/.local/share/vpemetrics-x/x.db", True),
        ("{home}/.local/share/x.db", True),
        ("{home}/x.db", True),
    ],
)
def test_what_is_not_in_the_folder_or_ones_own_leaves(
    tmp_path: Path, path: str, leaves: bool
) -> None:
    folder, home = tmp_path / "clone", tmp_path / "home"
    for made in (folder / "sub", home):
        made.mkdir(parents=True)
    (folder / "inside").symlink_to(folder / "sub")
    (folder / "outside").symlink_to(home)

    found = path_disclosure("store", folder / path.format(home=home), folder, {"HOME": str(home)})

    assert bool(found) == leaves


def test_a_source_gives_no_secret_that_is_not_its_own(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    text = '[sources.p]\ntype = "pagerduty"\ntoken = "env:A"\n'
    (tmp_path / FILE).write_text(text)
    variables = environ | {"A": "secret a", "B": "secret b"}
    [named] = configured_sources(load(tmp_path / FILE, variables))
    [found] = configured_sources(load_found(tmp_path / FILE, variables))

    assert named.secret("env:A", variables) == "secret a"
    for source in (named, found):
        with pytest.raises(FixConfiguration, match=r"sources\.p: no setting of it names"):
            source.secret("env:B", variables)
    with pytest.raises(FixConfiguration, match=r"env:A to api\.pagerduty\.com"):
        found.secret("env:A", variables)
    allow(tmp_path / FILE, found.disclosures, variables, NOW)
    assert found.secret("env:A", variables) == "secret a"


def test_a_refusal_says_all_there_is_to_know(tmp_path: Path) -> None:
    file = tmp_path / "my work" / FILE
    said = str(refusal(file, [ONE, Disclosure(setting="store", what="store", to="/srv/x.db")]))

    assert said.splitlines() == [
        f"{file} was found here and not named by you, and would send",
        "  sources.a: env:A to a.example",
        "  store: data to /srv/x.db",
        "Nothing was sent, as nobody has allowed it so far.",
        f"If it is as you want it: vpemetrics trust --config '{file}'",
        "In CI: VPEMETRICS_TRUST=a.example,/srv/x.db",
    ]
