"""The history of a configuration repository: the versions its commits want, and their times.

A commit counts from the moment it came to the default branch: a pull request's when it was
merged, for nothing is deployed before.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

from vpemetrics.collectors.git.clone import Clone
from vpemetrics.collectors.git.commands import GitFailed
from vpemetrics.collectors.git.commits import GitAuthors
from vpemetrics.collectors.git.log import Logged, moment, read_log
from vpemetrics.collectors.gitops.bumps import Bump
from vpemetrics.collectors.gitops.cursor import GitopsCursor
from vpemetrics.collectors.gitops.files import ChangedFile, changed_files, read_blobs
from vpemetrics.collectors.gitops.manifests import FoundVersion, Unreadable, parse_place, versions
from vpemetrics.collectors.gitops.options import Options
from vpemetrics.collectors.sizes import size_text
from vpemetrics.rules import is_chosen

_MOST_BYTES: Final = 8 * 2**20
"""The largest file in which versions are looked for: a hundred times those that people write.

Kubernetes itself takes 1.5 MiB at most: https://etcd.io/docs/latest/dev-guide/limit/
"""


@dataclass(frozen=True, kw_only=True)
class BumpReading:
    """The commits that were read, each with what it wants, oldest first.

    `after` is where the last collection ended, None if all was read. `first_at` and `last_at`
    are when the oldest and the newest of the default branch's own commits were made, in seconds.
    `unreadable` tells by path why files cannot be read as they stand last, and `passed` of those
    that were changed or removed since. `cut` are commits at which files stand that others before
    them changed, in a shallow clone.
    """

    bumps: Sequence[Bump] = field(repr=False)
    after: GitopsCursor | None
    first_at: int | None
    last_at: int | None
    unreadable: Mapping[str, str] = field(default_factory=dict)
    passed: Sequence[str] = ()
    cut: Collection[str] = ()


class _Line(NamedTuple):
    """The default branch's own commits, oldest first, with the moments they were made."""

    shas: Sequence[str]
    parents: Mapping[str, str]
    committed: Mapping[str, str]

    def moment(self, sha: str) -> int | None:
        """The time at which a commit was made, in seconds; None where git cannot say."""
        return int(self.committed[sha]) if moment(self.committed[sha]) else None

    def arrivals(self) -> Iterator[tuple[str, str]]:
        """Every commit, parents first, with the one of the branch's own that brought it."""
        seen = set[str]()
        for landing in self.shas:
            brought, stack = [], [landing]
            while stack:
                sha = stack.pop()
                if sha in seen or sha not in self.parents:
                    continue
                seen.add(sha)
                brought.append(sha)
                stack += self.parents[sha].split()
            yield from ((sha, landing) for sha in reversed(brought))


class _Rewritten(Exception):
    """A history that was rewritten: what is new does not stand on top of what was read."""


class BumpReader:
    """A reader of a configuration repository under its options, and of who made its commits."""

    def __init__(self, clone: Clone, tip: str, options: Options, authors: GitAuthors) -> None:
        """Nothing is read yet."""
        self._clone = clone
        self._tip = tip
        self._options = options
        self._authors = authors
        self._read = self._of_subjects if options.subject else self._of_files

    def read(self, after: GitopsCursor | None) -> BumpReading:
        """Read what is new after a cursor; everything without one, and if history was rewritten."""
        try:
            return self._read(after)
        except (GitFailed, _Rewritten):
            if after is None:
                raise
        return self._read(None)

    def _of_subjects(self, after: GitopsCursor | None) -> BumpReading:
        pattern = self._options.pattern
        fitting: dict[str, tuple[Mapping[str, str | None], Logged]] = {}

        def note(one: Logged) -> None:
            found = pattern.fit(one.message.partition("\n")[0])
            if found is not None:
                fitting[one.sha] = found, one

        line = self._line(after, note)
        bumps = [
            self._bump(*fitting[sha], at)
            for sha, landing in line.arrivals()
            if sha in fitting and (at := line.moment(landing)) is not None
        ]
        return self._reading(line, bumps, after)

    def _of_files(self, after: GitopsCursor | None) -> BumpReading:
        own: dict[str, Logged] = {}
        line = self._line(
            after, lambda logged: own.setdefault(logged.sha, logged), "--first-parent"
        )
        pattern = self._options.pattern
        files = [
            (changed, names)
            for changed in changed_files(self._clone.git, line.shas, line.parents)
            if (names := pattern.fit(changed.path)) is not None and self._is_chosen(names)
        ]
        read: dict[str, list[FoundVersion] | str] = {"": []}  # of those that are removed
        read |= self._versions(changed for changed, _ in files if changed.blob)
        wanted = (
            self._bump({**names, **said.names, "version": said.version}, own[changed.sha], at)
            for changed, names in files
            for said in _found(read[changed.blob])
            if (at := line.moment(changed.sha)) is not None
        )
        unreadable, passed = dict(after.unreadable) if after else {}, list[str]()
        for changed, _ in files:
            passed += filter(None, [unreadable.pop(changed.path, None)])
            if isinstance(why := read[changed.blob], str):
                unreadable[changed.path] = f"{changed.path} at {changed.sha[:12]} {why}"
        reading = self._reading(line, _changes(wanted, after), after)
        return replace(reading, unreadable=unreadable, passed=passed)

    def _versions(self, files: Iterable[ChangedFile]) -> dict[str, list[FoundVersion] | str]:
        """The versions in files, by blob, or why one cannot be read."""
        place = parse_place(self._options.value or "")
        blobs = list(dict.fromkeys(changed.blob for changed in files))
        read: dict[str, list[FoundVersion] | str] = {}
        contents = read_blobs(self._clone.git, blobs, _MOST_BYTES)
        for blob, content in zip(blobs, contents, strict=True):
            if content is None:
                read[blob] = f"is larger than {size_text(_MOST_BYTES)}"
                continue
            try:
                read[blob] = versions(content.decode("utf-8", "replace"), place)
            except Unreadable as why:
                read[blob] = str(why)
        return read

    def _line(self, after: GitopsCursor | None, note: Callable[[Logged], Any], *more: str) -> _Line:
        parents, committed = dict[str, str](), dict[str, str]()
        without = [after.tip] if after else []
        for logged in read_log(self._clone.git, [self._tip], without=without, more=more):
            parents[logged.sha] = logged.parents
            committed[logged.sha] = logged.committed
            note(logged)
        shas, before = [], self._tip
        while before in parents:
            shas.append(before)
            before = parents[before].partition(" ")[0]
        if after and before != after.tip:
            raise _Rewritten
        return _Line(shas[::-1], parents, committed)

    def _bump(self, names: Mapping[str, str | None], one: Logged, at: int) -> Bump:
        options = self._options
        return Bump(
            sha=one.sha,
            service=names.get("service") or options.service or "",
            environment=names.get("environment") or options.environment or "",
            version=names.get("version") or "",
            at=at,
            is_bot=self._authors[one.email, one.name] is not None or None,
        )

    def _is_chosen(self, names: Mapping[str, str | None]) -> bool:
        """Tell whether a service is wanted, as far as it is named."""
        service = names.get("service") or self._options.service
        return not service or is_chosen(service, self._options.only)

    def _reading(
        self,
        line: _Line,
        bumps: Iterable[Bump],
        after: GitopsCursor | None,
    ) -> BumpReading:
        known = [at for sha in (*line.shas[:1], *line.shas[-1:]) if (at := line.moment(sha))]
        only = self._options.only
        return BumpReading(
            bumps=[bump for bump in bumps if all(bump[1:4]) and is_chosen(bump.service, only)],
            after=after,
            first_at=known[0] if known else None,
            last_at=known[-1] if known else None,
            cut=self._clone.boundary if self._options.file else (),
        )


def _found(read: list[FoundVersion] | str) -> list[FoundVersion]:
    return [] if isinstance(read, str) else read


def _changes(wanted: Iterable[Bump], after: GitopsCursor | None) -> Iterator[Bump]:
    """Those that want another version than the one before them of the same service and place."""
    current = {bump.key: bump.version for bump in after.wanted} if after else {}
    for bump in wanted:
        if current.get(bump.key) != bump.version:
            current[bump.key] = bump.version
            yield bump
