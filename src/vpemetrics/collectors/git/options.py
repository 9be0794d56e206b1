"""The settings of a git source."""

from dataclasses import dataclass
from datetime import date
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Options:
    """A clone or bare repository, and what in it was a deployment.

    `path` lies in the repository. `repository` is its name, by default the last two parts of
    its remote's address, else its folder's. `deployments` are version tags, every commit of
    the default branch, or not in git at all. `tags` are patterns of the tags that were
    deployed (`!` before one leaves out again), by default versions that are no pre-releases.
    `branch` is the default branch, by default the remote's. Deployments before `since` are
    left out.
    """

    path: str = "."
    repository: str | None = None
    deployments: Literal["tags", "commits", "none"] = "tags"
    tags: tuple[str, ...] = ()
    environment: str = "production"
    branch: str | None = None
    since: date | None = None

    def __post_init__(self) -> None:
        for pattern in self.tags:
            if "[" in pattern:  # in no tag of git's
                raise ValueError(f"tags: {pattern!r}: only * and ? stand for something else")
