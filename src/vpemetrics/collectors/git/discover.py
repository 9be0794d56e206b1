"""Clones as sources of their own, as `init` proposes them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from os.path import relpath
from pathlib import Path
from typing import Final

from vpemetrics.collectors.base import DiscoveryContext
from vpemetrics.collectors.discovery import (
    DeployedInGit,
    Discovery,
    LocalRepository,
    RepositoryOverview,
    Setting,
    SourceProposal,
)

_ABOUT: Final = (
    "What is fetched is what counts, so fetch before you collect. Git knows no incidents and "
    "no reviews; docs/collectors.md tells where else they may come from."
)


def discover(context: DiscoveryContext) -> Iterator[Discovery]:
    """The clones that are here."""
    for clone in context.clones:
        yield GitClone(clone=clone, home=context.home, now=context.now)


@dataclass(frozen=True, kw_only=True)
class GitClone(LocalRepository):
    """A clone, and the folder that its path is going to start at."""

    home: Path
    now: datetime

    @property
    def path(self) -> str:
        """The place of the clone, as the configuration says it."""
        return Path(relpath(self.clone.git.path, self.home)).as_posix()

    def survey(self) -> RepositoryOverview:
        """The versions and commits of late, and who owns it."""
        from vpemetrics.collectors.git.survey import overview_of

        return overview_of(self.clone, self.now)

    def propose(self, name: str, deployments: DeployedInGit, why: str) -> SourceProposal:
        """The settings of a git source."""
        return SourceProposal(
            name=name,
            type="git",
            lines=(
                Setting(key="path", value=self.path),
                Setting(key="deployments", value=deployments, remark=why),
            ),
            about=_ABOUT,
        )
