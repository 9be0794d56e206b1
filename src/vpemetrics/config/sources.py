"""The sources that are collected from: those configured, or the clone around a folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vpemetrics.collectors.base import Collector
from vpemetrics.collectors.registry import collector_of
from vpemetrics.config.load import Configuration
from vpemetrics.config.source_checks import options_of
from vpemetrics.errors import FixConfiguration
from vpemetrics.names import nearest

CLONE = "git"
"""The name, and the type, of the source that a clone is without any configuration."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """A source under its configured name; relative paths in its options start at `folder`."""

    name: str
    collector: Collector
    options: Any
    folder: Path


def configured_sources(configuration: Configuration, names: Sequence[str] = ()) -> list[Source]:
    """The sources of the configuration, or those of these names, in the order of the file.

    FixConfiguration for a name that the configuration does not have.
    """
    tables = configuration.settings.sources
    for name in names:
        if name not in tables:
            raise FixConfiguration(f"there is no source {name!r}; {_instead(name, list(tables))}")
    return [
        _source(name, table.type, table.options, configuration.locate("."))
        for name, table in tables.items()
        if not names or name in names
    ]


def clone_as_source(folder: Path) -> Source:
    """The clone that a folder is in, as a source without any settings."""
    return _source(CLONE, CLONE, {}, folder)


def _source(name: str, kind: str, given: dict[str, Any], folder: Path) -> Source:
    collector = collector_of(kind)
    options = options_of(collector, given)
    return Source(name=name, collector=collector, options=options, folder=folder)


def _instead(name: str, names: Sequence[str]) -> str:
    if near := nearest(name, names):
        return f"did you mean {near}?"
    return f"the configuration has {', '.join(names) or 'none'}"
