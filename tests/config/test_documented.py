"""docs/configuration.md and the examples in config/ hold to the settings there are."""

import re
import tomllib
from pathlib import Path

import pytest
from pydantic_core import PydanticUndefined

from vpemetrics.config.environment import variable
from vpemetrics.config.load import load
from vpemetrics.config.model import parse_duration, settings, single_settings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### `(.+?)`\n(.+?)(?=^#|\Z)", PAGE, re.MULTILINE | re.DOTALL))
BLOCKS = re.findall(r"^```toml\n(.+?)^```", PAGE, re.MULTILINE | re.DOTALL)
EXAMPLES = sorted((ROOT / "config").glob("*.toml"))


def test_every_setting_is_documented_and_no_other() -> None:
    assert sorted(SECTIONS) == sorted(settings())


@pytest.mark.parametrize("name", sorted(settings()))
def test_the_default_on_the_page_is_the_one_in_force(name: str) -> None:
    default = settings()[name].default
    told = re.search(r"^Default: `(.+?)`[.,]", SECTIONS[name], re.MULTILINE)

    if default is PydanticUndefined:
        assert "needed" in SECTIONS[name]
    elif default is None:
        assert "Default: none" in SECTIONS[name] or name == "store"
    else:
        assert told
        assert _same(tomllib.loads(f"value = {told[1]}")["value"], default)


@pytest.mark.parametrize("block", BLOCKS)
def test_examples_on_the_page_are_free_of_mistakes(block: str, tmp_path: Path) -> None:
    file = tmp_path / "vpemetrics.toml"
    file.write_text(block, encoding="utf-8")

    assert load(file, {}).path == file


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_ready_made_configurations_are_free_of_mistakes(example: Path) -> None:
    rules = load(example, {}).rules()

    assert rules.services
    assert rules.organisation == "Acme engineering"


def test_there_are_ready_made_configurations() -> None:
    assert {
        "files.toml",
        "git.toml",
        "github.toml",
        "gitlab-pagerduty.toml",
        "gitops.toml",
        "monorepo.toml",
    } <= {path.name for path in EXAMPLES}


def test_every_single_setting_can_come_from_the_environment() -> None:
    values = {"lead_time.start": "merge", "organisation.timezone": "Asia/Tokyo"}
    durations = {"failures.suspect_within": "1h", "deployments.superseded_within": "1h"}
    schedule = {"collect": "1h", "report": "fri 12:00", "output": "week.md"}
    values |= {"retention.keep": "104w"}
    values |= {f"schedule.{name}": value for name, value in schedule.items()}
    texts = dict.fromkeys(single_settings(), "text")
    environ = {variable(name): text for name, text in (texts | values | durations).items()}

    assert load(None, environ).from_environment == single_settings()


def _same(told: object, default: object) -> bool:
    if isinstance(default, tuple):
        return told == list(default)
    return told == default or parse_duration(told) == default
