"""The commits of deployed branches from a mirror, where one is kept: git has all of them."""

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final
from urllib.parse import urlsplit

from vpemetrics.collectors.git.commits import Recorder
from vpemetrics.collectors.git.log import Logged, read_log, read_paths
from vpemetrics.collectors.git.mirror import Mirror, Mirrors, mirrors_home
from vpemetrics.collectors.github.client import Client
from vpemetrics.collectors.github.commit_history import HistoryReader
from vpemetrics.collectors.github.cursor import HistoryProgress, SeenCommits
from vpemetrics.collectors.github.options import web_address
from vpemetrics.collectors.github.repository import RepositoryTarget
from vpemetrics.records import Commit

_AT_ONCE: Final = 4096
"""The number of commits in a batch."""


class MirrorHistoryReader(HistoryReader):
    """Reads the histories of one repository from its mirror, whole and without any request."""

    def __init__(
        self,
        target: RepositoryTarget,
        client: Client,
        seen: SeenCommits,
        before: HistoryProgress | None,
        mirror: Mirror,
    ) -> None:
        """As of the API's; the mirror is fetched when something is wanted that it lacks."""
        super().__init__(target, client, seen, before)
        self._mirror = mirror
        is_read = before and not before.walks and before.settings == self.history.settings
        self._read_tip = before.tip if before and is_read else None
        self._recorder = Recorder("", target.naming.known, target.naming.authors)

    def read(self) -> Iterator[list[Commit]]:
        """New commits in batches."""
        tips = [walk.tip for walk in self.history.walks if walk.tip not in self._seen]
        if len(self._mirror.held(tips)) < len(tips):
            self._mirror.update()
        there = self._mirror.held(tips)
        read = self._mirror.held([self._read_tip] if self._read_tip else [])
        log = iter(read_log(self._mirror.git, there, without=read) if there else ())
        while some := list(islice(log, _AT_ONCE)):
            commits = self._records([logged for logged in some if logged.sha not in self._seen])
            self._seen.add(commit.sha for commit in commits)
            yield commits
        self.history = replace(self.history, walks=())
        self._read_tip = self.history.tip

    def originals(self, shas: Sequence[str]) -> list[Commit]:
        """Commits of pull requests as they are in the mirror, with their parents."""
        # https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/reviewing-changes-in-pull-requests/checking-out-pull-requests-locally
        wanted = self._mirror.held([sha for sha in shas if sha not in self._seen])
        if not wanted:
            return []
        return self._records(list(read_log(self._mirror.git, wanted, more=("--no-walk=unsorted",))))

    def _records(self, log: Sequence[Logged]) -> list[Commit]:
        commits = self._recorder.records(self._mirror.git, log)
        if not self._target.paths:
            return commits
        plain = [commit.sha for commit in commits if len(commit.parents) < 2]
        paths = read_paths(self._mirror.git, plain)
        return [replace(commit, paths=paths.get(commit.sha)) for commit in commits]


def mirrors_in_cache(environ: Mapping[str, str], *, url: str, token: str) -> Mirrors:
    """Mirrors in a person's cache folder, apart for each GitHub."""
    web = web_address(url)
    host = (urlsplit(web).netloc or "github").replace(":", "-")
    # https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/authenticating-as-a-github-app-installation#about-authentication-as-a-github-app-installation
    account = b64encode(f"x-access-token:{token}".encode()).decode()
    return Mirrors(folder=mirrors_home(environ) / host, url=web, account=account)
