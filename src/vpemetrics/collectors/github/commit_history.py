"""The commits of deployed branches with their parents, read until all that is new is known.

GitHub gives a history newest first, the commits of merged branches among older ones that are
known. So reading ends when no parent of a new commit is unknown, and not with the first known.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from vpemetrics.collectors.github import queries
from vpemetrics.collectors.github.client import Client
from vpemetrics.collectors.github.connections import (
    FULL,
    Absent,
    Connection,
    check_following,
    fetch_page,
)
from vpemetrics.collectors.github.cursor import (
    GitHubCursor,
    HistoryProgress,
    HistoryWalk,
    SeenCommits,
)
from vpemetrics.collectors.github.record_builder import build_commit, parents
from vpemetrics.collectors.github.repository import OID, RepositoryTarget, instant
from vpemetrics.collectors.http import Node, as_object, check_record
from vpemetrics.records import Commit

# https://docs.github.com/en/graphql/reference/objects#commit; the newest come first, as of git log.
_PATH: Final = ("node", "object", "history")
_HISTORY: Final = Connection(query=queries.HISTORY, path=_PATH, whole=True)
_TOUCHING: Final = Connection(query=queries.TOUCHING, path=_PATH, whole=True)
_AT_ONCE: Final = 10
"""The number of pages in a batch."""
BEFORE: Final = timedelta(days=30)
"""The time before the first wanted day from which on histories are read, for late deployments."""


class HistoryReader:
    """Reads histories of one repository from where the last collection left off."""

    def __init__(
        self,
        target: RepositoryTarget,
        client: Client,
        seen: SeenCommits,
        before: HistoryProgress | None,
    ) -> None:
        """Read on from `before`; the commits that are read are added to those `seen`."""
        self._target = target
        self._client = client
        self._seen = seen
        self.history = self._resume(before)
        self._followed: set[str] = set()
        self._touched: dict[str, set[str]] = {}
        self._touched_since: dict[str, datetime] = {}

    def want(self, tip: str) -> None:
        """Have the history of a commit read, if it is not known."""
        walks = self.history.walks
        if tip not in self._seen and all(walk.tip != tip for walk in walks):
            self.history = replace(self.history, walks=(*walks, HistoryWalk(tip=tip)))

    def read(self) -> Iterator[list[Commit]]:
        """New commits in batches; `history` says how far was read when one is yielded."""
        while self.history.walks:
            walk, *others = self.history.walks
            if walk.after is None and walk.tip in self._seen and not walk.again:
                self.history = replace(self.history, walks=tuple(others))
                continue
            fresh, after = self._read_pages(walk)
            going_on = () if after is None else (after,)
            if after is None:
                self._followed.clear()
            self.history = replace(self.history, walks=(*going_on, *others))
            commits = self._build(walk.tip, fresh, goes_on=after is not None)
            self._seen.add(commit.sha for commit in commits)
            yield commits

    def _resume(self, before: HistoryProgress | None) -> HistoryProgress:
        target, cut = self._target, self._target.begin - BEFORE
        settings = history_settings(target)
        if before is None or before.settings != settings:
            self._seen.clear()
            before = HistoryProgress(cut=cut, end=target.now, settings=settings, size=FULL)
        walks = (*before.again, *before.walks)
        history = replace(before, end=target.now, tip=target.probe.tip, walks=walks, again=())
        tip, walks = history.tip, history.walks
        if tip is None or tip in self._seen or any(walk.tip == tip for walk in walks):
            return history
        return replace(history, walks=(HistoryWalk(tip=tip), *walks))

    def _read_pages(self, walk: HistoryWalk) -> tuple[list[Node], HistoryWalk | None]:
        """The new commits of a few pages, and where to go on; None at the end."""
        fresh: list[Node] = []
        bad: set[str] = set()
        for _ in range(_AT_ONCE):
            page, after, is_late = self._read_page(walk)
            commits = [commit for commit in page if self._is_good(commit)]
            if len(commits) < len(page):
                self.history = self.history.with_again(walk)
                bad |= {shown for commit in page if (shown := _shown_sha(commit))}
            check_following(after, self._followed)
            new = [commit for commit in commits if commit["oid"] not in self._seen]
            met = {commit["oid"] for commit in (*fresh, *new)} | bad
            fresh += new
            wanted = {*walk.pending, *(sha for commit in new for sha in parents(commit))}
            pending = sorted(sha for sha in wanted if sha not in met and sha not in self._seen)
            if after is None or is_late or not pending:
                return fresh, None
            walk = replace(walk, after=after, pending=tuple(pending))
        return fresh, walk

    def _is_good(self, node: Node) -> bool:
        """Return whether a commit can be read; one that cannot is left out."""
        naming = self._target.naming

        def build() -> object:
            return check_record(build_commit(as_object(node, "it"), naming.known, naming.authors))

        return self._target.read(node, "a commit", build) is not None

    def _read_page(self, walk: HistoryWalk) -> tuple[Sequence[Node], str | None, bool]:
        """Commits, where more are, and whether they are all from before the cut."""
        variables = {"id": self._target.probe.id, "oid": walk.tip, "after": walk.after}
        try:
            page = fetch_page(self._client, _HISTORY, variables, self.history.size)
        except Absent:  # it was pushed away
            return (), None, True
        self.history = replace(self.history, size=page.size)
        dates = _committed_at(page.nodes)
        is_late = bool(dates) and max(dates) < self.history.cut
        return page.nodes, page.after, is_late

    def _build(self, tip: str, fresh: Sequence[Node], *, goes_on: bool) -> list[Commit]:
        repository, authors = self._target.naming.known, self._target.naming.authors
        if not self._target.paths:
            return [build_commit(node, repository, authors) for node in fresh]
        if fresh:
            self._touch(tip, self._since(fresh, goes_on=goes_on))
        return [build_commit(node, repository, authors, self._paths(node)) for node in fresh]

    def _paths(self, node: Node) -> tuple[str, ...] | None:
        """The paths a commit touches, as far as services ask; None for merges, as git has it."""
        if len(parents(node)) > 1:
            return None
        sha = node["oid"]
        return tuple(f"{path}/*" for path, shas in self._touched.items() if sha in shas)

    def _since(self, fresh: Sequence[Node], *, goes_on: bool) -> datetime:
        """The time from which on it is to be known what commits touch; all of it where more come.

        A question for every batch would be one for every path each time.
        """
        dates = _committed_at(fresh)
        ends = [*dates, self.history.cut] if goes_on else dates
        return min(ends, default=self.history.cut)

    def _touch(self, tip: str, since: datetime) -> None:
        """Find out which commits before a tip touch services' paths, if it is not known yet."""
        until = self._touched_since.get(tip)
        if until and until <= since:
            return
        self._touched_since[tip] = since
        for path in prefixes(self._target.paths):
            touching = self._touching(tip, path, since, until)
            self._touched.setdefault(path, set()).update(touching)

    def _touching(
        self, tip: str, path: str, since: datetime, until: datetime | None
    ) -> Iterator[str]:
        variables = {
            "id": self._target.probe.id,
            "oid": tip,
            "path": path,
            "since": since.isoformat(),
            "until": until.isoformat() if until else None,
            "after": None,
        }
        seen = set[str]()
        while True:
            page = fetch_page(self._client, _TOUCHING, variables, FULL)
            check_following(page.after, seen)
            yield from filter(None, map(_shown_sha, page.nodes))
            if page.after is None:
                return
            variables["after"] = page.after


def history_settings(target: RepositoryTarget) -> str:
    """A short text that differs where the same commits would become other records."""
    return target.fingerprint(target.paths, target.options.clone)


def is_read(target: RepositoryTarget, cursor: GitHubCursor) -> bool:
    """Return whether all commits were read, as far as a look at the repository shows."""
    probe, history = target.probe, cursor.history
    if history is None or history.walks or history.again:
        return False
    if history.settings != history_settings(target):
        return False
    return (history.tip, cursor.branch) == (probe.tip, probe.branch)


def prefixes(patterns: Iterable[str]) -> list[str]:
    """The folders and files that patterns of paths are about, as far as they are about one."""
    return sorted({prefix(pattern) for pattern in patterns} - {""})


def prefix(pattern: str) -> str:
    """The folder or file that a pattern of paths is about; empty if it is about several."""
    plain = pattern.strip("/")
    for ending in ("/**", "/*"):
        plain = plain.removesuffix(ending)
    return "" if set(plain) & set("*?[!") else plain


def _committed_at(commits: Sequence[Node]) -> list[datetime]:
    texts = (commit.get("committedDate") for commit in commits if isinstance(commit, dict))
    return [at for text in texts if (at := instant(text))]


def _shown_sha(commit: object) -> str | None:
    """The name of a commit, whatever else is wrong with it."""
    sha = commit.get("oid") if isinstance(commit, dict) else None
    return sha if isinstance(sha, str) and OID.fullmatch(sha) else None
