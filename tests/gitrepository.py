"""Real git repositories for tests: every commit a minute after the one before, nothing signed."""

import atexit
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, TypeVar

from subprocesses import PATIENCE

from vpemetrics.collectors.base import CollectionContext, Collector
from vpemetrics.collectors.git.options import Options
from vpemetrics.collectors.registry import collector_of
from vpemetrics.records import AnyRecord, Change, Commit, Coverage, Deployment
from vpemetrics.rules import Rules

AnyKind = TypeVar("AnyKind", bound=AnyRecord)

Person = tuple[str, str]
"""A name and an address."""

ADA: Person = ("Ada", "ada@example.org")
BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)
NOW = datetime(2026, 9, 1, tzinfo=UTC)

COMMIT = (
    *("-c", "core.hooksPath=/dev/null", "-c", "commit.gpgSign=false", "-c", "gc.auto=0"),
    *("-c", "maintenance.auto=false", "commit", "-q", "--allow-empty", "--allow-empty-message"),
    *("--cleanup=verbatim", "-F", "-"),
)
"""A commit of what is added, in one process: nothing of the repository's own has a say."""


@dataclass
class GitRepository:
    """A repository in a folder, with a clock of its own."""

    path: Path
    at: datetime = BEGIN
    made: int = 0

    def git(self, *arguments: str, given: str | bytes = b"", by: Person = ADA) -> str:
        """What git prints."""
        environment = os.environ | {
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
            "GIT_AUTHOR_NAME": by[0],
            "GIT_AUTHOR_EMAIL": by[1],
            "GIT_COMMITTER_NAME": by[0],
            "GIT_COMMITTER_EMAIL": by[1],
            "GIT_AUTHOR_DATE": f"{self.at.timestamp():.0f} +0000",
            "GIT_COMMITTER_DATE": f"{self.at.timestamp():.0f} +0000",
        }
        done = subprocess.run(
            ["git", "-C", str(self.path), *arguments],
            env=environment,
            input=given if isinstance(given, bytes) else given.encode(),
            capture_output=True,
            check=False,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode("utf-8", "replace").strip()

    def commit(
        self, message: str | bytes = "Change", *parents: str, path: str = "", by: Person = ADA
    ) -> str:
        """A commit on what is checked out, or on other parents; its sha."""
        self.at += timedelta(minutes=1)
        self.made += 1
        file = self.path / path if path else self.path / f"file{self.made}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(str(self.made), encoding="utf-8")
        self.git("add", "--all")
        if not parents:
            self.git(*COMMIT, given=message, by=by)
            return self.head()
        options = [word for parent in parents for word in ("-p", parent)]
        sha = self.git("commit-tree", self.git("write-tree"), *options, given=message, by=by)
        self.git("update-ref", "HEAD", sha)
        return sha

    def head(self) -> str:
        """The sha of what is checked out; nothing before the first commit."""
        pointer = self.path / ".git" / "HEAD"
        if pointer.is_file():  # a file of its own is read sooner than git is started
            branch = pointer.parent / pointer.read_text(encoding="utf-8")[5:].strip()
            if branch.is_file():
                return branch.read_text(encoding="utf-8").strip()
        try:
            return self.git("rev-parse", "-q", "--verify", "HEAD")
        except AssertionError:
            return ""

    def branch(self, name: str, at: str = "HEAD") -> None:
        """Starts a branch and checks it out."""
        self.git("branch", "-f", name, at)
        self.switch(name)

    def switch(self, name: str) -> None:
        """Checks a branch out, its files apart: they do not matter here."""
        self.git("symbolic-ref", "HEAD", f"refs/heads/{name}")

    def merge(self, other: str, message: str) -> str:
        """Merges a branch or commit into what is checked out, with a merge commit."""
        return self.commit(message, self.head(), self.git("rev-parse", other))

    def tag(self, name: str, at: str = "HEAD", message: str | None = None) -> None:
        """A light tag, or one with a message and a moment of its own."""
        self.at += timedelta(minutes=1)
        said = ["-m", message] if message else []
        self.git("tag", "-f", *said, name, at)


def new_repository(path: Path, *options: str) -> GitRepository:
    """An empty repository with a branch main."""
    path.mkdir(parents=True, exist_ok=True)
    repository = GitRepository(path)
    repository.git("init", "-q", "-b", "main", "--template=", *options)
    return repository


def copy_of(make: Callable[[GitRepository], object], path: Path) -> GitRepository:
    """A repository as somebody makes it, who does so once for all tests of a file."""
    made = _made(make)
    shutil.copytree(made.path, path, symlinks=True)
    return replace(made, path=path)


@cache
def _made(make: Callable[[GitRepository], object]) -> GitRepository:
    folder = Path(mkdtemp(prefix="vpemetrics-git-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    repository = new_repository(folder)
    make(repository)
    return repository


@dataclass
class Collected:
    """What collections of a repository told, the later ones on top of the earlier."""

    options: Any
    collector: Collector = field(default_factory=partial(collector_of, "git"))
    rules: Rules = field(default_factory=Rules)
    folder: Path = Path()
    now: datetime = NOW
    cursors: dict[str, str] = field(default_factory=dict)
    known: dict[tuple[str, str], AnyRecord] = field(default_factory=dict)
    new: list[AnyRecord] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def again(self) -> "Collected":
        """Collects once more, as a store would: a record that comes again replaces the old one."""
        self.warnings, self.new, self.left_out = [], [], []
        context = CollectionContext(
            source="git",
            now=self.now,
            cursors=dict(self.cursors),
            rules=self.rules,
            folder=self.folder,
            warn=self.warnings.append,
            leave_out=lambda _name, why: self.left_out.append(why),
        )
        for batch in self.collector.collect(self.options, context):
            self.new += batch.records
            for columns in batch.columns:
                self.new += columns.records()
            self.cursors |= batch.cursors
            for kind, keys in batch.gone.items():
                for key in keys:
                    self.known.pop((kind.KIND, key), None)
        self.known |= {(record.KIND, record.key): record for record in self.new}
        return self

    def of(self, kind: type[AnyKind]) -> list[AnyKind]:
        """The records of a kind."""
        return [record for record in self.known.values() if isinstance(record, kind)]

    @property
    def commits(self) -> dict[str, Commit]:
        """The commits by sha."""
        return {commit.sha: commit for commit in self.of(Commit)}

    @property
    def changes(self) -> dict[int, Change]:
        """The changes by number."""
        return {change.number or 0: change for change in self.of(Change)}

    @property
    def deployments(self) -> dict[str, Deployment]:
        """The deployments by id."""
        return {deployment.id: deployment for deployment in self.of(Deployment)}

    @property
    def coverage(self) -> dict[tuple[str, str], tuple[datetime, datetime]]:
        """What is covered, by kind and scope."""
        return {(one.kind.value, one.scope): (one.start, one.end) for one in self.of(Coverage)}


def collected(path: Path, rules: Rules | None = None, **settings: Any) -> Collected:
    """What a first collection of a repository tells; it is named acme/shop."""
    options = Options(**({"repository": "acme/shop", "path": str(path)} | settings))
    return Collected(options=options, rules=rules or Rules()).again()
