from pathlib import Path

import pytest

from vpemetrics.collectors.files.options import Options
from vpemetrics.collectors.registry import collector_of
from vpemetrics.config.load import Configuration, load
from vpemetrics.config.sources import configured_sources
from vpemetrics.errors import FixConfiguration

TWO = """
[sources.exports]
type = "files"
path = "data"

[sources.incidents]
type = "files"
path = "/srv/incidents"
"""


@pytest.fixture
def two(tmp_path: Path) -> Configuration:
    file = tmp_path / "vpemetrics.toml"
    file.write_text(TWO, encoding="utf-8")
    return load(file, {})


def test_a_source_has_its_collector_its_options_and_the_folder_of_the_file(
    two: Configuration, tmp_path: Path
) -> None:
    exports, incidents = configured_sources(two)

    assert (exports.name, exports.collector) == ("exports", collector_of("files"))
    assert exports.options == Options(path="data")
    assert exports.folder == tmp_path
    assert incidents.options == Options(path="/srv/incidents")


def test_only_the_sources_that_are_named_are_taken(two: Configuration) -> None:
    assert [source.name for source in configured_sources(two, ["incidents"])] == ["incidents"]


@pytest.mark.parametrize(
    ("name", "instead"),
    [("export", "did you mean exports?"), ("x", "the configuration has exports, incidents")],
)
def test_an_unknown_source_is_told_with_the_known_ones(
    two: Configuration, name: str, instead: str
) -> None:
    with pytest.raises(FixConfiguration) as told:
        configured_sources(two, ["exports", name])

    assert str(told.value) == f"there is no source {name!r}; {instead}"


def test_without_a_configuration_there_is_none() -> None:
    assert configured_sources(load(None, {})) == []
