"""The sources that are collected from: those configured, or the clone around a folder."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from vpemetrics.collectors.base import Collector
from vpemetrics.collectors.registry import collector_of
from vpemetrics.config.load import Configuration
from vpemetrics.config.model import WEEK
from vpemetrics.config.secrets import resolve
from vpemetrics.config.source_checks import options_of
from vpemetrics.config.trust import (
    Disclosure,
    path_disclosure,
    refusal,
    secrets_of,
    source_disclosures,
    untrusted,
)
from vpemetrics.errors import FixConfiguration
from vpemetrics.names import nearest
from vpemetrics.patterns import EndlessPattern

_OUTPUT: Final = "schedule.output"

CLONE = "git"
"""The name, and the type, of the source that a clone is without any configuration."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """A source under its configured name; relative paths in its options start at `folder`.

    `file` is the configuration that names it, which `is_found` if no person named that.
    """

    name: str
    collector: Collector
    options: Any
    folder: Path
    file: Path | None = None
    is_found: bool = False

    @property
    def disclosures(self) -> tuple[Disclosure, ...]:
        """The secrets that it sends, and where to."""
        return source_disclosures(self.name, self.options)

    def secret(self, reference: str, environ: Mapping[str, str]) -> str:
        """The value of a secret; FixConfiguration without one, or without trust.

        Whatever asks, and whenever: no secret leaves but by here.
        """
        if reference not in secrets_of(self.options):
            raise FixConfiguration(f"sources.{self.name}: no setting of it names this secret")
        file = self.file if self.is_found else None
        if file and (lacking := untrusted(file, self.disclosures, environ)):
            raise refusal(file, lacking)
        return resolve(reference, environ, folder=self.folder).reveal()

    @contextmanager
    def place_patterns(self) -> Iterator[None]:
        """Say of an expression that takes too long in which file and table it stands."""
        try:
            yield
        except EndlessPattern as error:
            file = f"{self.file}: " if self.file else ""
            raise FixConfiguration(f"{file}sources.{self.name}.{error}") from None


def configured_sources(configuration: Configuration, names: Sequence[str] = ()) -> list[Source]:
    """The sources of the configuration, or those of these names, in the order of the file.

    FixConfiguration for a name that the configuration does not have.
    """
    tables = configuration.settings.sources
    for name in names:
        if name not in tables:
            raise FixConfiguration(f"there is no source {name!r}; {_instead(name, list(tables))}")
    return [
        _source(
            name,
            table.type,
            table.options,
            configuration.locate("."),
            configuration,
        )
        for name, table in tables.items()
        if not names or name in names
    ]


def output_disclosures(
    configuration: Configuration, environ: Mapping[str, str]
) -> tuple[Disclosure, ...]:
    """The folder that scheduled reports are written to, where a configuration that was found says.

    None if it is the configuration's own, or the user's for programs.
    """
    if not configuration.is_found or _OUTPUT in configuration.from_environment:
        return ()
    path = configuration.locate(configuration.settings.schedule.output)
    folder = next(parent for parent in path.parents if WEEK not in str(parent))
    return path_disclosure(_OUTPUT, folder, configuration.locate("."), environ)


def clone_as_source(folder: Path) -> Source:
    """The clone that a folder is in, as a source without any settings."""
    return _source(CLONE, CLONE, {}, folder)


def _source(
    name: str,
    kind: str,
    given: dict[str, Any],
    folder: Path,
    configuration: Configuration | None = None,
) -> Source:
    collector = collector_of(kind)
    return Source(
        name=name,
        collector=collector,
        options=options_of(collector, given),
        folder=folder,
        file=configuration.path if configuration else None,
        is_found=configuration is not None and configuration.is_found,
    )


def _instead(name: str, names: Sequence[str]) -> str:
    if near := nearest(name, names):
        return f"did you mean {near}?"
    return f"the configuration has {', '.join(names) or 'none'}"
