"""The check before a collection: the sources, each by its own check, and the store."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from vpemetrics.collectors.base import CollectionContext, Finding, Level
from vpemetrics.config.secrets import mask
from vpemetrics.config.sources import Source
from vpemetrics.errors import FixConfiguration, NoData, VpemetricsError
from vpemetrics.rules import Rules
from vpemetrics.store import Store

STORE: Final = "store"


@dataclass(frozen=True, kw_only=True)
class Checked:
    """The findings about one source, or the store."""

    name: str
    findings: tuple[Finding, ...]

    @property
    def level(self) -> Level:
        """That of the worst finding."""
        levels = {finding.level for finding in self.findings}
        return next((level for level in (Level.ERROR, Level.WARNING) if level in levels), Level.OK)


def check_source(
    source: Source,
    rules: Rules,
    *,
    cursors: Mapping[str, str],
    now: datetime,
    environ: Mapping[str, str],
) -> Checked:
    """The findings of a source's own check, the last one what ended it. Nothing is changed."""
    warnings: list[str] = []
    context = CollectionContext(
        source=source.name,
        now=now,
        cursors=cursors,
        rules=rules,
        folder=source.folder,
        warn=warnings.append,
        secret=lambda reference: source.secret(reference, environ),
    )
    findings = list(_take_all(_check(source, context)))
    findings += [Finding(topic="note", level=Level.WARNING, text=text) for text in warnings]
    return Checked(name=source.name, findings=tuple(findings))


def _check(source: Source, context: CollectionContext) -> Iterator[Finding]:
    with source.place_patterns():
        yield from source.collector.check(source.options, context)


def check_store(location: str, sources: Iterable[str]) -> tuple[Checked, dict[str, dict[str, str]]]:
    """The finding about the store, and how far these sources were collected into it.

    A store that is not there yet is not made.
    """
    cursors: dict[str, dict[str, str]] = {}
    try:
        with Store.open(location, must_exist=True) as store:
            cursors |= {name: store.cursors(name) for name in sources}
            count = sum(store.counts().values())
        finding = Finding(
            topic=STORE,
            text=f"{mask(location)} holds {count:,} records",
            numbers={"records": count},
        )
    except NoData:
        finding = _no_store_yet(location)
    except (VpemetricsError, OSError) as problem:
        finding = _failure(problem, STORE)
    return Checked(name=STORE, findings=(finding,)), cursors


def _take_all(findings: Iterable[Finding]) -> Iterator[Finding]:
    """The findings, and what ended the check before its time as the last one."""
    try:
        yield from findings
    except FixConfiguration as problem:
        yield _failure(problem, "settings")
    except (VpemetricsError, OSError) as problem:
        yield _failure(problem, "reach")


def _failure(problem: VpemetricsError | OSError, topic: str) -> Finding:
    said = str(problem)
    if isinstance(problem, OSError):
        place = f"{problem.filename}: " if problem.filename else ""
        said = f"{place}{problem.strerror or problem}"
    return Finding(topic=topic, level=Level.ERROR, text=mask(said))


def _no_store_yet(location: str) -> Finding:
    """The finding about a store that the first collection makes, if it can."""
    if "://" in location:
        return Finding(topic=STORE, text=f"{mask(location)} is empty; a collection fills it")
    folder = next(parent for parent in Path(location).absolute().parents if parent.exists())
    if os.access(folder, os.W_OK):
        return Finding(topic=STORE, text=f"{location} is made by the first collection")
    return Finding(
        topic=STORE,
        level=Level.ERROR,
        text=f"{location} cannot be made: {folder} may not be written to",
        mend="name another place with `store` in the configuration, or --store",
    )
