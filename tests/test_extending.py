"""What docs/extending.md tells is so: its source runs as it stands, and what it names is there."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from commandline import invoke
from loopback import Asked, Hourglass, Loopback, Say, loopback

from vpemetrics.addresses import host_of
from vpemetrics.collectors import http
from vpemetrics.collectors.base import Collector
from vpemetrics.collectors.http import Feed
from vpemetrics.store import Store

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.+?)^```", PAGE, re.MULTILINE | re.DOTALL)
NAMES = set(re.findall(r"`([^`\n]+)`", PAGE))


@pytest.fixture
def beacon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Loopback]:
    """The page's source, installed by the page's entry point, configured for a server."""
    (source,) = [text for kind, text in BLOCKS if kind == "python" and "class Options" in text]
    (entry,) = [text for kind, text in BLOCKS if kind == "toml" and "entry-points" in text]
    group, line = re.findall(r'entry-points\."(.+?)"\]\n(.+)\n', entry)[0]
    (tmp_path / "acme_beacon.py").write_text(source)
    info = tmp_path / "acme_beacon-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-beacon\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{group}]\n{line.replace(chr(34), '')}\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("BEACON_TOKEN", "s3cret")
    with loopback(Hourglass()) as server:
        (tmp_path / "vpemetrics.toml").write_text(
            f'[sources.pager]\ntype = "beacon"\nurl = "{server.url}"\nsince = 2026-09-01\n'
        )
        monkeypatch.setenv("VPEMETRICS_TRUST", str(host_of(server.url)))
        yield server


ALERTS: dict[str, dict[str, Any]] = {
    str(number): {
        "id": number,
        "services": ["shop"],
        "title": "Down",
        "raised_at": f"2026-09-0{number}T10:00:00Z",
        "closed_at": None if number == 3 else f"2026-09-0{number}T11:00:00Z",
    }
    for number in (1, 2, 3)
}


def answer(asked: Asked) -> Say:
    """Beacon's answers: the alerts one to a page, and each by its id."""
    assert asked.headers["Authorization"] == "Bearer s3cret"
    parts = urlsplit(asked.path)
    _, _, wanted = parts.path.partition("/api/v3/")
    if wanted == "account":
        return Say(json={"name": "Acme"})
    if wanted != "alerts":
        return Say(json={**ALERTS["3"], "closed_at": "2026-09-04T08:00:00Z"})
    parameters = dict(parse_qsl(parts.query))
    found = [
        alert
        for alert in ALERTS.values()
        if parameters["from"] <= alert["raised_at"] < parameters["to"]
    ]
    page = int(parameters.get("page", 1))
    link = f'<?{parts.query}&page={page + 1}>; rel="next"'
    return Say(json=found[page - 1 : page], headers={"Link": link} if page < len(found) else {})


def test_the_source_of_the_page_collects(beacon: Loopback) -> None:
    beacon.answer = answer

    first, again = invoke("collect"), invoke("collect")
    checked = invoke("check")

    assert first.exit_code == 0, first.stderr
    assert "pager: new incidents 3" in first.stderr
    assert "pager: new incidents 1" in again.stderr  # the one that was open
    assert "Beacon answers Acme" in checked.stdout
    with Store.open("vpemetrics.db") as store:
        resolved = [record.resolved_at for _, record in store.records("incidents")]  # type: ignore[union-attr]  # all are incidents
    assert None not in resolved


def test_every_part_of_a_source_is_told() -> None:
    parts = {name.partition("(")[0] for name in NAMES}

    assert {"Options", *Collector.__dataclass_fields__} - {"options"} <= parts


def test_every_paging_and_every_choice_of_a_feed_is_told() -> None:
    pagings = {"Offset", "PageNumber", "NextCursor", "NextURL", "Keyset"}

    assert pagings <= {name.partition("(")[0] for name in NAMES}
    assert pagings <= set(http.__all__)
    assert {"collect_feeds", "collect_scopes", "connect", "Budget", "RateLimits"} <= NAMES
    assert {"moment", "refetch", "span", "settings", "paging"} <= NAMES & set(
        Feed.__dataclass_fields__
    )


FILES = sorted(name for name in NAMES if re.fullmatch(r"[\w./-]+\.py", name))
MADE_UP = ("beacon.py", "NAME.py")


@pytest.mark.parametrize("name", [name for name in FILES if not name.endswith(MADE_UP)])
def test_every_file_that_is_named_is_there(name: str) -> None:
    package = ROOT / "src" / "vpemetrics"
    folders = (ROOT, package, package / "collectors" / "github")

    assert any((folder / name).exists() for folder in folders)


def test_each_thing_to_add_ends_at_the_checklist() -> None:
    sections = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    titles = [section.partition("\n")[0] for section in sections[1:]]
    ends = [section.strip().splitlines()[-1] for section in sections[1:-1]]

    assert titles == ["A source", "A metric", "An output", "A command", "The checklist"]
    assert ends == ["Then see to the [checklist](#the-checklist)."] * 4
