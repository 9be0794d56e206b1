"""One repository collected, part by part: each goes on where the last collection left off.

First come the commits, so that originals of pull requests can be told from what is on a branch
already; last the histories of deployed commits that are on no branch that was read.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from vpemetrics.collectors.base import Batch
from vpemetrics.collectors.git.commands import GitFailed
from vpemetrics.collectors.github.again import ask_again
from vpemetrics.collectors.github.asking import Enough
from vpemetrics.collectors.github.cloned import Reader as MirrorReader
from vpemetrics.collectors.github.covering import coverage
from vpemetrics.collectors.github.history import Reader as HistoryReader
from vpemetrics.collectors.github.lists import (
    ISSUES,
    LISTINGS,
    RUNS,
    base,
    is_empty,
    is_quiet,
    label_of,
    runs_sign,
    sign,
    stretch_of,
    wanted,
)
from vpemetrics.collectors.github.mirror import Mirror, Unfetched
from vpemetrics.collectors.github.paging import FULL, read
from vpemetrics.collectors.github.parse.naming import Node
from vpemetrics.collectors.github.place import Place
from vpemetrics.collectors.github.position import Known, Open, Position
from vpemetrics.collectors.github.problems import Forbidden, GitHubProblem, Gone, TooHeavy
from vpemetrics.collectors.github.runs import Reader as RunsReader
from vpemetrics.collectors.github.telling import Telling
from vpemetrics.errors import VpemetricsError
from vpemetrics.records import AnyRecord, Change, Deployment, Repository

COMMITS: Final = " commits"
"""What stands behind a repository's name where the commits it told are noted."""

_AGAIN_AT_ONCE: Final = 25


def _history_reader(
    place: Place, known: Known, position: Position, mirror: Mirror | None
) -> HistoryReader:
    """What reads the commits: git where there is a mirror, else the API."""
    if mirror is None:
        return HistoryReader(place, known, position.history)
    return MirrorReader(place, known, position.history, mirror)


class Work:
    """The collection of one repository.

    `batches` are what is new; `errors` what went wrong in which part, while others went on.
    `lost` counts by what GitHub did not give of it.
    """

    def __init__(
        self,
        place: Place,
        position: Position,
        known: Known,
        moved: Sequence[str],
        mirror: Mirror | None = None,
    ) -> None:
        """`moved` are ids of open things that GitHub changed since they were read."""
        self.place = place
        self.position = position
        self.errors: dict[str, VpemetricsError] = {}
        self.lost: dict[str, int] = {}
        self._known = known
        self._moved = moved
        self._telling = Telling(place=place, known=known, has_originals=mirror is not None)
        self._history = _history_reader(place, known, position, mirror) if place.is_code else None

    def batches(self) -> Iterator[Batch]:
        """All that is new. Enough, or the problem, if it ends before all is told."""
        end: Exception | None = None
        self.position = replace(
            self.position, name=self.place.seen.name, branch=self.place.seen.branch
        )
        try:
            for name in self._parts():
                try:
                    yield from self._part(name)
                except (Forbidden, Gone, TooHeavy, GitFailed, Unfetched) as error:
                    self.errors[name] = error
        except (Enough, GitHubProblem) as reason:
            end = reason
        covered = coverage(self.place, self.position, in_part=isinstance(end, Enough))
        yield self._batch([*self._repository(), *covered])
        if end:
            raise end

    def _parts(self) -> list[str]:
        lists = wanted(self.place)
        code = ["commits"] if self.place.is_code else []
        late = ["deployed commits"] if self.place.is_code else []
        return [*code, "open", *lists, "open again", *late]

    def _part(self, name: str) -> Iterator[Batch]:
        match base(name):
            case "commits" | "deployed commits":
                return self._commits()
            case "open":
                return self._ask_again(self._moved)
            case "open again":
                return self._ask_again(self._partial())
            case "issues of type":
                return self._typed(name)
            case "runs":
                return self._runs()
        return self._list(name)

    def _commits(self) -> Iterator[Batch]:
        if self._history:
            for commits in self._history.read():
                yield self._batch(commits)

    def _list(self, name: str) -> Iterator[Batch]:
        if is_quiet(self.place, self.position, name):
            known = replace(self.position.lists[name], end=self.place.now)
            self.position = self.position.listed(name, known)
            return
        listing = LISTINGS[base(name)]
        stretch = stretch_of(self.place, self.position, name)
        if is_empty(self.place, name):
            stretch = replace(stretch, gaps=())
        variables: dict[str, object] = {"id": self.place.seen.id}
        if base(name) == ISSUES:
            variables |= {"labels": [label_of(name)]}
        for page, reached in read(self.place.asking, listing.listing, variables, stretch):
            stretch = reached
            self._lose(name, page.lost)
            records, found = self._told(page.nodes, listing.kind, page.partial)
            self.position = self.position.listed(name, stretch).opened(found)
            yield self._batch(records)
        done = replace(stretch, sign=sign(self.place, name)[0])
        self.position = self.position.listed(name, done)

    def _told(
        self, nodes: Sequence[Node], kind: str, partial: frozenset[str]
    ) -> tuple[list[AnyRecord], dict[str, Open | None]]:
        records: list[AnyRecord] = []
        found: dict[str, Open | None] = {}
        for node in nodes:
            told = self._telling.tell(node, kind)
            records += told.records
            id_ = node.get("id")
            if id_ in partial:
                before = self.position.open.get(id_) or Open(kind=kind, created_at=self.place.now)
                found[id_] = self._telling.again(node, before)
                self._lose(f"parts of {kind}", found[id_] is None)
            elif id_:
                found[id_] = told.open
        if isinstance(self._history, MirrorReader):
            merged = [one for one in records if isinstance(one, Change) and one.merged_at]
            records += self._history.originals([sha for one in merged for sha in one.commit_shas])
        return records, found

    def _ask_again(self, ids: Sequence[str]) -> Iterator[Batch]:
        """What is open, and what GitHub left something out of, by its ids."""
        for at in range(0, len(ids), _AGAIN_AT_ONCE):
            some = ids[at : at + _AGAIN_AT_ONCE]
            again = ask_again(self.place.asking, some)
            records: list[AnyRecord] = []
            found = {id_: self._not_there(id_) for id_ in again.gone}
            for node in again.nodes:
                own, opened = self._told([node], node["__typename"], again.partial)
                records += own
                found |= opened
            self.position = self.position.opened(found)
            yield self._batch(records)

    def _not_there(self, id_: str) -> Open | None:
        """Something that was open and is not found: asked for some more times before it counts."""
        before = self.position.open.get(id_)
        return self._telling.again({}, before) if before else None

    def _typed(self, name: str) -> Iterator[Batch]:
        """Issues of a type: GraphQL knows none, so REST names them."""
        if is_quiet(self.place, self.position, name):
            return
        stretch = stretch_of(self.place, self.position, name)
        ids = list(self._typed_ids(label_of(name), stretch.gaps[0].down_to))
        yield from self._ask_again(ids)
        done = replace(stretch, gaps=(), newest=self.place.now, sign=sign(self.place, name)[0])
        self.position = self.position.listed(name, done)

    def _typed_ids(self, type_: str, since: datetime) -> Iterator[str]:
        page, some = 1, list[dict[str, Any]]()
        while some or page == 1:
            some = self.place.asking.get(
                f"/repos/{self.place.seen.name}/issues",
                {"type": type_, "state": "all", "since": since.isoformat(), "page": page}
                | {"sort": "updated", "direction": "desc", "per_page": FULL},
            )
            yield from (one["node_id"] for one in some if "pull_request" not in one)
            page += 1

    def _partial(self) -> list[str]:
        return [id_ for id_, one in self.position.open.items() if one.updated_at is None]

    def _runs(self) -> Iterator[Batch]:
        reader = RunsReader(place=self.place, position=self.position)
        for records in reader.open_again():
            self.position = reader.position
            yield self._batch(records)
            reader.position = self.position
        if is_quiet(self.place, self.position, RUNS) and not reader.is_due():
            return
        stretch = reader.look_back(stretch_of(self.place, self.position, RUNS))
        for records, reached in reader.read(stretch):
            stretch = reached
            self.position = reader.position.listed(RUNS, stretch)
            yield self._batch(records)
            reader.position = self.position
        self._lose(RUNS, reader.lost)
        done = replace(stretch, sign=runs_sign(self.place))
        self.position = reader.position.listed(RUNS, done)

    def _repository(self) -> Iterator[Repository]:
        seen, known = self.place.seen, self.place.naming.known
        yield Repository(
            id=seen.id,
            name=seen.name,
            aliases=(known,) if known != seen.name else (),
            default_branch=seen.branch,
        )

    def _batch(self, records: Sequence[AnyRecord]) -> Batch:
        if self._history:
            for sha in self._telling.tips(records):
                self._history.want(sha)
            self.position = replace(self.position, history=self._history.history)
        services = {one.service for one in records if isinstance(one, Deployment) and one.service}
        services |= set(self.position.services)
        self.position = replace(self.position, services=tuple(sorted(services)))
        return Batch(records=records, cursors=self._cursors())

    def _cursors(self) -> Mapping[str, str]:
        known = self.position.known
        cursors = {known: self.position.to_json()}
        if self._known.changed:
            cursors[known + COMMITS] = self._known.to_text()
            self._known.changed = False
        return cursors

    def _lose(self, what: str, count: int) -> None:
        if count:
            self.lost[what] = self.lost.get(what, 0) + count
