"""A simulated GitHub with the history of a real repository, from a bare mirror with refs/pull.

Pull requests are those that the history shows as merged, with the commits that the git source
tells of them. When they were opened, who reviewed them and who closed others is not in git: a
pull request opens with its last commit and nobody reviews it.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from github_server import things
from github_server.things import BORN, Account, Signature
from github_server.world import Repo, World
from vpemetrics.collectors.git.clone import Clone, look_at
from vpemetrics.collectors.git.commands import Git
from vpemetrics.collectors.git.commits import GitAuthors, Recorder
from vpemetrics.collectors.git.log import LogColumns, Logged, moment
from vpemetrics.collectors.git.pulls import Landing
from vpemetrics.collectors.git.reading import CloneReader, HistoryReading
from vpemetrics.collectors.git.subjects import reverted_pulls
from vpemetrics.record_columns import RecordColumns
from vpemetrics.rules import Rules
from vpemetrics.version_tags import Tag

ELSEWHERE: Final = "maintenance"
"""The base of what was merged into another branch than the default one."""

_PRIVATE: Final = re.compile(r"(?:\d+\+)?(.+)@users\.noreply\.github\.com")


class Deployed(NamedTuple):
    """A deployment to be told of a commit: when it succeeded, and where."""

    commit: str
    at: datetime
    environment: str = "production"


def mirrored(path: Path, name: str, deployments: Sequence[Deployed] = ()) -> World:
    """The GitHub of a mirror at a path, under a name with its owner."""
    clone = look_at(Git(path=path))
    world = World()
    repo = world.repository(name)
    also = [Tag(one.commit, one.commit, "") for one in deployments]
    recorder, people = Recorder("", repo.full_name, GitAuthors(Rules())), _People(world)

    def told(log: LogColumns) -> RecordColumns:
        for one in log.rows():
            repo.commits[one.sha] = _commit(repo, one, people)
        return recorder(log)

    reading = CloneReader(clone, [*clone.tags, *also], told).read(None)
    reading.wait()
    if clone.tip:
        repo.default_branch = clone.branch or "main"
        repo.point(repo.default_branch, clone.tip, at=repo.commits[clone.tip].committer.date)
    _fill_tags(repo, clone.tags)
    for number, landing in sorted(reading.landings.items()):
        _fill_pull(repo, clone, reading, number, landing)
    _fill_deployments(repo, deployments)
    return world


class _People(dict[tuple[str, str], Account]):
    """Accounts by the name and address in commits."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def __missing__(self, who: tuple[str, str]) -> Account:
        name, email = who
        private = _PRIVATE.fullmatch(email)
        login = private[1] if private else re.sub(r"[^\w\[\]]+", "-", name).strip("-")
        self[who] = found = self._world.account(login or "somebody")
        return found


def _commit(repo: Repo, one: Logged, people: _People) -> things.Commit:
    committed_at = moment(one.committed) or BORN
    account = people[one.name, one.email]
    return things.Commit(
        oid=one.sha,
        repo=repo,
        parents=tuple(one.parents.split()),
        author=Signature(
            name=one.name,
            email=one.email,
            date=moment(one.authored) or committed_at,
            account=account,
        ),
        committer=Signature(name=one.committer, email=one.committer, date=committed_at),
        message=one.message,
    )


def _fill_tags(repo: Repo, tags: Iterable[Tag]) -> None:
    """Tags; one that was made at another time than its commit was annotated then."""
    for tag in tags:
        commit = repo.commits[tag.commit]
        made_at = moment(tag.seconds) or commit.committer.date
        annotated = made_at != commit.committer.date
        repo.tag(
            tag.name, tag.commit, at=made_at, tagger=commit.author.account if annotated else None
        )


def _fill_pull(
    repo: Repo, clone: Clone, reading: HistoryReading, number: int, landing: Landing
) -> None:
    said, merge = landing.said, repo.commits[landing.sha]
    originals = [sha for sha in reading.originals(landing, clone.pulls) if sha in repo.commits]
    last = repo.commits[originals[-1]] if originals else merge
    merged_at = merge.committer.date
    base = repo.default_branch if landing.on_line else ELSEWHERE
    reverted = reverted_pulls(reading.logged[landing.sha].message, repo.full_name)
    made = repo.open_pull(
        said.title or f"Pull request {number}",
        author=last.author.account,
        commits=originals,
        at=min(last.committer.date, merged_at),
        body="\n".join(f"Reverts #{other}" for other in reverted),
        head=said.head_branch or f"pull-{number}",
        base=said.base_branch or base,
        number=number,
        from_fork=True,
    )
    repo.land(made, landing.sha, at=merged_at)


def _fill_deployments(repo: Repo, deployments: Iterable[Deployed]) -> None:
    operator = repo.world.account("operator")
    for one in sorted(deployments, key=lambda one: one.at):
        made = repo.deploy(one.commit, one.environment, at=one.at, by=operator)
        repo.say(made, "SUCCESS", at=one.at)
