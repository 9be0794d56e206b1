"""The made-up organisation in a folder of its own: configuration, store and reports.

vpemetrics.toml   its configuration
slo.csv           its service level objectives
vpemetrics.db     its store
reports/          where its reports go
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from vpemetrics.collectors.base import Batch, CollectionContext, Collector
from vpemetrics.config.load import FILE_NAME, Configuration, load
from vpemetrics.config.sources import Source, configured_sources
from vpemetrics.errors import FixInput
from vpemetrics.records import AnyRecord, Coverage, CoverageKind, Incident
from vpemetrics.rules import Rules
from vpemetrics.simulate.acme.github import monday_morning, served
from vpemetrics.simulate.acme.notable import decisions
from vpemetrics.simulate.acme.plans import UNCOLLECTED, day_begins
from vpemetrics.simulate.acme.settings import configuration, objectives
from vpemetrics.store import Store
from vpemetrics.usecases.collecting import collect
from vpemetrics.usecases.triage import SOURCE as PEOPLE

MARK: Final = "# Made by `vpemetrics demo`, which makes this folder anew each time.\n"
STORE, REPORTS = "vpemetrics.db", "reports"

Told = Callable[[int, int], None]


def lay_out(folder: Path) -> None:
    """Writes the files of the organisation.

    FixInput for a folder that holds anything else than an earlier demo.
    """
    _check(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE_NAME).write_text(f"{MARK}\n{configuration()}", encoding="utf-8")
    (folder / "slo.csv").write_text(objectives(), encoding="utf-8")
    (folder / REPORTS).mkdir(exist_ok=True)


def rules_of(folder: Path) -> Rules:
    """What the configuration in the folder says, whatever the environment does."""
    return _configuration(folder).rules()


def fill_store(folder: Path, warn: Callable[[str], None], progress: Told) -> None:
    """Collects from the organisation's GitHub, on this machine, into a new store."""
    for beside in ("", "-wal", "-shm"):
        (folder / f"{STORE}{beside}").unlink(missing_ok=True)
    with Store.open(folder / STORE) as store, served() as url:
        (source,) = configured_sources(_configuration(folder))
        result = collect(
            store,
            _cut(replace(source, options=replace(source.options, url=url))),
            rules_of(folder),
            clock=monday_morning,
            warn=warn,
            progress=progress,
            environ={"GITHUB_TOKEN": "made-up"},
        )
        if result.error:
            raise result.bug or FixInput(result.error)
        store.save(PEOPLE, decisions(_incidents(store)))


def _incidents(store: Store) -> list[Incident]:
    return [one for _, one in store.records(Incident.KIND) if isinstance(one, Incident)]


def _configuration(folder: Path) -> Configuration:
    return load(folder / FILE_NAME, {})


def _cut(source: Source) -> Source:
    """The source without the week whose deployments nobody recorded."""

    def cut(options: Any, context: CollectionContext) -> Iterator[Batch]:
        for batch in source.collector.collect(options, context):
            yield replace(batch, records=_with_gap(batch.records))

    return replace(source, collector=Collector(options=source.collector.options, collect=cut))


def _with_gap(records: Iterable[AnyRecord]) -> Iterator[AnyRecord]:
    begin, end = map(day_begins, UNCOLLECTED)
    for record in records:
        if isinstance(record, Coverage) and record.kind is CoverageKind.DEPLOYMENTS:
            for start, stop in ((record.start, begin), (end, record.end)):
                if start < stop:
                    yield replace(record, start=max(start, record.start), end=min(stop, record.end))
        else:
            yield record


def _check(folder: Path) -> None:
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    file = folder / FILE_NAME
    if not file.is_file() or not file.read_bytes().startswith(MARK.encode()):
        raise FixInput(
            f"{folder} holds something else; nothing in it was touched. "
            "Name a folder that is empty or not there yet."
        )
