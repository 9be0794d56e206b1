"""The commits of deployed branches from a mirror, where one is kept: git tells all it has."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

from vpemetrics.collectors.git.commits import Recorder
from vpemetrics.collectors.git.log import Logged, read_log, read_paths
from vpemetrics.collectors.github.commit_history import HistoryReader
from vpemetrics.collectors.github.cursor import HistoryProgress, SeenCommits
from vpemetrics.collectors.github.mirror import Mirror
from vpemetrics.collectors.github.repository import RepositoryTarget
from vpemetrics.records import Commit

_AT_ONCE = 4096


class MirrorReader(HistoryReader):
    """Reads the histories of one repository from its mirror, whole and without any request."""

    def __init__(
        self,
        target: RepositoryTarget,
        known: SeenCommits,
        before: HistoryProgress | None,
        mirror: Mirror,
    ) -> None:
        """As of the API's; the mirror is fetched when something is wanted that it lacks."""
        super().__init__(target, known, before)
        self._mirror = mirror
        is_told = before and not before.walks and before.settings == self.history.settings
        self._told_tip = before.tip if before and is_told else None
        self._recorder = Recorder(target.naming.known, target.naming.is_bot)

    def read(self) -> Iterator[list[Commit]]:
        """New commits in batches."""
        tips = [walk.tip for walk in self.history.walks if walk.tip not in self._known]
        if len(self._mirror.held(tips)) < len(tips):
            self._mirror.update()
        there = self._mirror.held(tips)
        told = self._mirror.held([self._told_tip] if self._told_tip else [])
        logged = iter(read_log(self._mirror.git, there, without=told) if there else ())
        while some := list(islice(logged, _AT_ONCE)):
            commits = self._commits([one for one in some if one.sha not in self._known])
            self._known.add(one.sha for one in commits)
            yield commits
        self.history = replace(self.history, walks=())
        self._told_tip = self.history.tip

    def originals(self, shas: Sequence[str]) -> list[Commit]:
        """Commits of pull requests as they are in the mirror, with their parents."""
        wanted = self._mirror.held([sha for sha in shas if sha not in self._known])
        if not wanted:
            return []
        logged = read_log(self._mirror.git, wanted, more=("--no-walk=unsorted",))
        return self._commits(list(logged))

    def _commits(self, logged: Sequence[Logged]) -> list[Commit]:
        commits = [self._recorder(one) for one in logged]
        if not self._target.paths:
            return commits
        plain = [one.sha for one in commits if len(one.parents) < 2]
        paths = read_paths(self._mirror.git, plain)
        return [replace(one, paths=paths.get(one.sha)) for one in commits]
