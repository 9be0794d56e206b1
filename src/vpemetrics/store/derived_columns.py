"""The passage of lineage's results into blocks: what came out otherwise than before is written."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, delete, insert

from vpemetrics.lineage.deployments import DeploymentColumns
from vpemetrics.lineage.graph import Ints
from vpemetrics.lineage.rows import NONE, Evidence, IncidentRow
from vpemetrics.lineage.shipping import ShippedChanges, WaitingChanges
from vpemetrics.lineage.trace import Lineage
from vpemetrics.store.derived import traced
from vpemetrics.store.derived_blocks import Block, Digests, pack, save
from vpemetrics.store.derived_layouts import LAYOUTS, Part
from vpemetrics.window import MISSING, Micros


@dataclass(frozen=True, kw_only=True)
class TracedService:
    """A service that was traced: the id of its name, under which rules and repositories.

    `digests` are those of what was written of it before; `incidents` are all, by id.
    """

    id: int
    fingerprint: str
    repositories: Collection[str]
    digests: Digests = field(default_factory=dict)
    incidents: Mapping[int, IncidentRow] = field(default_factory=dict)


def save_lineage(connection: Connection, service: TracedService, lineage: Lineage) -> None:
    """Save what came of tracing a service in the place of what was written of it before."""
    save(connection, service.id, _blocks(service, lineage), service.digests)
    connection.execute(delete(traced).where(traced.c.service_id == service.id))
    row = {
        "service_id": service.id,
        "fingerprint": service.fingerprint,
        "attribution": lineage.attribution,
        "repositories": json.dumps(sorted(service.repositories)),
        "problems": json.dumps(lineage.problems),
    }
    connection.execute(insert(traced), row)


def _blocks(service: TracedService, lineage: Lineage) -> Iterator[Block]:
    deployed = lineage.deployed
    ids, finished_at = deployed.ids, deployed.finished_at
    yield from _deployed(deployed)
    yield from _records(deployed)
    yield from _shipped(lineage.shipped, ids, finished_at)
    yield from _waiting(lineage.waiting)
    yield from _evidence(lineage, service.incidents)


def _deployed(deployed: DeploymentColumns) -> Iterator[Block]:
    columns = {
        "id": deployed.ids,
        "started_at": deployed.started_at,
        "finished_at": deployed.finished_at,
        "kind": deployed.kinds,
        "unplanned": deployed.unplanned,
        "first": deployed.first,
        "rolled_back": deployed.rolled_back,
        "ships": deployed.ships,
    }
    return pack(Part.DEPLOYED, columns, times=deployed.finished_at)


def _records(deployed: DeploymentColumns) -> Iterator[Block]:
    of = deployed.record_of
    columns = {"record_id": deployed.record_ids, "deployed_id": deployed.ids[of]}
    return pack(Part.RECORDS, columns, times=deployed.finished_at[of])


def _shipped(changes: ShippedChanges, ids: Ints, finished_at: Ints) -> Iterator[Block]:
    finished_at = finished_at[changes.deployments]
    columns: dict[str, NDArray[Any]] = {
        "deployed_id": ids[changes.deployments],
        "item": changes.items,
        "finished_at": finished_at,
        "start_at": changes.start_at,
        "first_at": changes.first_at,
        "merged_at": changes.merged_at,
        "at_merge": changes.at_merge,
        "reason": changes.reasons,
        "author": changes.authors,
        "author_kind": changes.author_kinds,
        "marked": changes.marked,
        **changes.beside,
    }
    texts = [""] * len(changes.items) if changes.more_starts else []
    for row, starts in changes.more_starts.items():
        texts[row] = " ".join(map(str, starts))
    yield from pack(Part.SHIPPED, columns, times=finished_at, texts=texts)
    early = np.flatnonzero(changes.merged_at > finished_at)
    yield from pack(
        Part.EARLY,
        {name: column[early] for name, column in columns.items()},
        times=changes.merged_at[early],
        texts=[texts[at] for at in early.tolist()] if texts else (),
    )


def _waiting(changes: WaitingChanges) -> Iterator[Block]:
    columns = {"item": changes.ids, "merged_at": changes.merged_at, "reason": changes.reasons}
    return pack(Part.WAITING, columns, times=changes.merged_at)


def _evidence(lineage: Lineage, incidents: Mapping[int, IncidentRow]) -> Iterator[Block]:
    """All evidence in one block: there is little of it, and it is read from end to end."""

    def row(one: Evidence) -> tuple[int, ...]:
        incident = incidents.get(one.incident)
        moments = (
            (MISSING,) * 4
            if incident is None
            else (incident.id, incident.began_at, incident.noticed_at, incident.restored_at)
        )
        by, mended_at = _moment(lineage, one.restored_by)
        mended = (by, mended_at if one.mended_at == MISSING else one.mended_at)
        return (*_moment(lineage, one.deployment), *mended, *moments)

    pieces, layout = lineage.evidence, LAYOUTS[Part.EVIDENCE]
    numbers = _numbers([row(one) for one in pieces]).reshape(-1, len(layout.numbers))
    columns: dict[str, Ints] = dict(zip(layout.numbers, numbers.T, strict=True))
    columns["grade"] = _codes(Part.EVIDENCE, "grade", [one.grade for one in pieces])
    columns["what"] = _codes(Part.EVIDENCE, "what", [one.what for one in pieces])
    columns["chosen"] = _numbers([one.chosen for one in pieces])
    return pack(Part.EVIDENCE, columns, texts=[one.detail for one in pieces])


def _moment(lineage: Lineage, position: int) -> tuple[int, Micros]:
    """The id of a deployment and when it finished."""
    if position == NONE:
        return MISSING, MISSING
    return int(lineage.deployed.ids[position]), int(lineage.deployed.finished_at[position])


def _codes(part: Part, name: str, words: Iterable[Any]) -> Ints:
    code = _CODES[part, name]
    return _numbers([code[word] for word in words])


_CODES: Final = {
    (part, name): {word: code for code, word in enumerate(choices.tolist())}
    for part, layout in LAYOUTS.items()
    for name, choices in layout.choices.items()
}


def _numbers(values: Sequence[Any]) -> Ints:
    return np.array(values, dtype=np.int64)
