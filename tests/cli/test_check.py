"""`vpemetrics check`: what is in the way of a collection is named, and nothing is changed."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from commandline import invoke
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from deploying_world import TOKEN, deploying_world
from github_server.answer import Answer, Request, problem
from github_server.faults import Fault, Faults, only, saml
from github_server.server import SimulatedGitHub
from github_server.tokens import Rights
from gitrepository import GitRepository, new_repository

from vpemetrics.addresses import host_of

GITHUB = """
[sources.github]
type = "github"
url = "{url}"
{who}
repositories = ["acme/*"]
incidents = {{ labels = ["incident"] }}
"""
BY_TOKEN = 'token = "env:GITHUB_TOKEN"'
BY_APP = 'app = { id = 1, private_key = "file:key.pem" }'

Serve = Callable[..., SimulatedGitHub]


@pytest.fixture
def serve(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Starts a GitHub and writes a configuration for it."""
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    monkeypatch.setenv("COLUMNS", "80")
    running: list[SimulatedGitHub] = []

    def start(*faults: Fault, who: str = BY_TOKEN, **rights: Any) -> SimulatedGitHub:
        server = SimulatedGitHub(
            deploying_world(), faults=Faults(always=faults), rights=Rights(**rights)
        )
        running.append(server.__enter__())
        configure(GITHUB.format(url=server.url, who=who))
        monkeypatch.setenv("VPEMETRICS_TRUST", str(host_of(server.url)))
        return server

    yield start
    for server in running:
        server.__exit__(None, None, None)


def configure(text: str) -> None:
    Path("vpemetrics.toml").write_text(text, encoding="utf-8")


def findings(*names: str) -> list[tuple[str, str, str]]:
    """Topic, level and text of all that is found."""
    said = json.loads(invoke("check", *names, "--json").stdout)
    return [
        (finding["topic"], finding["level"], finding["text"])
        for one in said["checked"]
        for finding in one["findings"]
    ]


def lines() -> str:
    """What is shown, on one line."""
    return " ".join(invoke("check").stdout.split())


def test_a_github_that_is_ready_says_what_it_is_and_what_it_takes(serve: Serve) -> None:
    server = serve()

    result = invoke("check")

    assert result.exit_code == 0
    said = result.stdout
    assert "  ok       127.0.0.1 answers; a classic token with repo, read:org\n" in said
    assert " of 5,000 GraphQL points are left until " in said
    assert "  ok       4 found: acme/docs, acme/old, acme/search, acme/shop\n" in said
    assert "commits, pull requests, deployments, incidents, workflow runs may be" in said
    assert "the first collection takes about " in said
    assert "is made by the first collection" in " ".join(said.split())
    assert said.endswith("\nReady.\n")
    assert max(map(len, said.splitlines())) <= 80
    assert not Path("vpemetrics.db").exists()
    assert server.points < 10


def test_after_a_collection_there_is_nothing_new(serve: Serve) -> None:
    serve()
    invoke("collect")

    found = findings()

    assert ("cost", "ok", "nothing is new: a request for every hundred repositories") in found
    assert found[-1][:2] == ("store", "ok")
    assert found[-1][2].endswith(" records")


def test_programs_get_the_numbers(serve: Serve) -> None:
    serve()

    said = json.loads(invoke("check", "--json").stdout)

    github, store = said["checked"]
    cost = next(one for one in github["findings"] if one["topic"] == "cost")
    limits = [one["numbers"] for one in github["findings"] if one["topic"] == "limits"]
    assert (said["format"], said["ready"]) == ("vpemetrics-check/1", True)
    assert (github["name"], store["name"]) == ("github", "store")
    assert cost["numbers"]["points"] > 0
    assert [one["limit"] for one in limits] == [5000, 5000]


def test_a_token_without_the_scope_is_told_what_to_tick(serve: Serve) -> None:
    server = serve(scopes="read:org")

    said = lines()

    site = server.url.removesuffix("/api/v3")
    assert "warning the scope repo is missing, so private repositories are not seen" in said
    assert f"→ tick repo for the token at {site}/settings/tokens" in said
    assert "Ready, with 1 warning." in said


def refused(request: Request, _reply: Callable[[], Answer]) -> Answer:
    return problem(
        403,
        "Resource not accessible by personal access token",
        x_accepted_github_permissions="actions=read",
    )


def test_permissions_that_a_token_lacks_are_named(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "github_pat_canary0123456789")
    serve(only(refused, path="/actions/runs"))

    result = invoke("check")

    said = " ".join(result.stdout.split())
    assert result.exit_code == 1
    assert "a fine-grained token" in said
    assert "error the permission actions: read is missing, for workflow runs" in said
    assert "/settings/personal-access-tokens" in said
    assert "Not ready: 1 error, 0 warnings." in said


@pytest.mark.slow
def test_permissions_that_an_app_lacks_are_named(serve: Serve) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    Path("key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )

    def without_issues(_request: Request, reply: Callable[[], Answer]) -> Answer:
        answer = reply()
        if not isinstance(answer.body, list):
            return answer
        less = [
            one | {"permissions": {k: v for k, v in one["permissions"].items() if k != "issues"}}
            for one in answer.body
        ]
        return replace(answer, body=less)

    serve(only(without_issues, path="/app/installations"), who=BY_APP)

    result = invoke("check")

    said = " ".join(result.stdout.split())
    assert result.exit_code == 1
    assert "an App installation" in said
    assert "error the permission issues: read is missing, for incidents" in said
    assert "→ grant it in the App's settings under Permissions & events" in said


@pytest.mark.parametrize(
    ("rights", "said"),
    [
        ({"tokens": ["another"]}, "GitHub does not accept the token or key"),
        ({"points": 0}, "error a limit of GitHub's is reached until"),
    ],
)
def test_a_token_that_is_worth_nothing_is_told(
    serve: Serve, rights: dict[str, Any], said: str
) -> None:
    serve(**rights)

    assert said in lines()


def test_an_organisation_with_single_sign_on_says_where_to_authorize(serve: Serve) -> None:
    serve(only(saml(organization="acme"), path="/graphql"))

    result = invoke("check")

    assert result.exit_code == 1
    assert "single sign-on (SAML): authorize the token at" in " ".join(result.stdout.split())


def test_a_github_that_is_not_there_is_told_beside_the_rest(folder: Path) -> None:
    configure(GITHUB.format(url="http://127.0.0.1:9/api/v3", who='token = "env:NO_SUCH"'))

    result = invoke("check", "--config", "vpemetrics.toml")

    assert result.exit_code == 1
    assert "error    env:NO_SUCH: the environment variable NO_SUCH is not set" in result.stdout
    assert "\nstore\n  ok " in result.stdout


@pytest.fixture
def clone(folder: Path) -> GitRepository:
    """A clone of a repository with two versions, fetched now."""
    origin = new_repository(folder / "origin")
    for version in ("v1.0", "v1.1", "nightly"):
        origin.commit("Change (#1)" if version == "v1.1" else "Change")
        origin.tag(version)
    subprocess.run(["git", "clone", "-q", "origin", "shop"], check=True)
    return GitRepository(folder / "shop")


@pytest.mark.slow
def test_a_clone_says_what_it_is_and_what_was_deployed(clone: GitRepository) -> None:
    configure('[sources.shop]\ntype = "git"\npath = "shop"\n')

    assert findings()[:-1] == [
        ("path", "ok", "a clone of origin, branch main"),
        ("fetch", "ok", "last fetched today"),
        ("deployments", "ok", "2 of 3 tags are versions that were deployed"),
    ]
    invoke("collect")
    assert ("originals", "warning", "1 pull requests lack their original commits") in findings()


def test_a_clone_that_was_not_fetched_for_long_gets_a_warning(clone: GitRepository) -> None:
    configure('[sources.shop]\ntype = "git"\npath = "shop"\n')
    head = clone.path / ".git" / "refs" / "remotes" / "origin" / "HEAD"
    month_ago = head.stat().st_mtime - 30 * 86400
    os.utime(head, (month_ago, month_ago))

    result = invoke("check")

    assert result.exit_code == 0
    assert "  warning  last fetched 30 days ago\n" in result.stdout
    assert f"git -C {clone.path} fetch --tags" in result.stdout.replace(" \\\n           ", " ")


@pytest.mark.parametrize(
    ("text", "topic", "said"),
    [
        ('[sources.shop]\ntype = "git"\npath = "nothing"\n', "settings", "there is no folder"),
        ('[sources.shop]\ntype = "git"\npath = "plain"\n', "settings", "lies in no git repository"),
        ('[sources.shop]\ntype = "git"\npath = "empty"\n', "path", "has no commits yet"),
        ('[sources.shop]\ntype = "files"\npath = "plain"\n', "reach", "holds nothing to import"),
        (
            '[sources.live]\ntype = "gitops"\npath = "shop"\nclones = "gone/{service}"\n'
            "subject = 'Update (?P<service>.+) to (?P<version>.+)'\nenvironment = \"live\"\n",
            "clones",
            "for the services' clones",
        ),
    ],
)
def test_what_is_not_there_is_an_error(
    clone: GitRepository, text: str, topic: str, said: str
) -> None:
    Path("plain").mkdir()
    new_repository(Path("empty"))
    configure(text)

    errors = [(t, text) for t, level, text in findings() if level == "error"]

    assert invoke("check").exit_code == 1
    assert [t for t, _ in errors] == [topic]
    assert said in errors[0][1]


def test_tags_that_are_no_versions_get_a_warning(folder: Path) -> None:
    repository = new_repository(folder / "shop")
    repository.commit()
    repository.tag("nightly")
    configure('[sources.shop]\ntype = "git"\npath = "shop"\n')

    assert ("deployments", "warning", "0 of 1 tags are versions that were deployed") in findings()


def test_a_shallow_clone_is_told_how_to_become_whole(clone: GitRepository) -> None:
    url = f"file://{clone.path.parent / 'origin'}"
    subprocess.run(["git", "clone", "-q", "--depth", "1", url, "cut"], check=True)
    configure('[sources.shop]\ntype = "git"\npath = "cut"\n')

    assert "fetch --unshallow" in lines()


def test_files_are_named(folder: Path) -> None:
    (folder / "deployments.csv").write_text("id\n")
    (folder / "strange.csv").write_text("")
    configure('[sources.exports]\ntype = "files"\npath = "."\n')

    found = findings()

    assert found[0] == ("path", "ok", "there are deployments.csv")
    assert found[1][:2] == ("path", "warning")
    assert "strange.csv was not read" in found[1][2]


def test_a_clone_without_a_configuration_is_checked_as_it_is(
    clone: GitRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(clone.path)

    assert ("path", "ok", "a clone of origin, branch main") in findings()


def test_only_the_named_sources_are_checked(clone: GitRepository) -> None:
    configure(
        '[sources.shop]\ntype = "git"\npath = "shop"\n'
        '[sources.other]\ntype = "git"\npath = "nothing"\n'
    )

    result = invoke("check", "shop")

    assert result.exit_code == 0
    assert "other" not in result.stdout
    assert invoke("check").exit_code == 1
    assert "did you mean shop?" in invoke("check", "shpo").stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"SQLite format 3\0 or not", "store"), (b"text, not a database", "store")],
)
def test_a_store_that_cannot_be_opened_is_an_error(
    clone: GitRepository, content: bytes, said: str
) -> None:
    configure('[sources.shop]\ntype = "git"\npath = "shop"\n')
    Path("vpemetrics.db").write_bytes(content)

    found = findings()

    assert found[-1][:2] == (said, "error")
    assert Path("vpemetrics.db").read_bytes() == content
