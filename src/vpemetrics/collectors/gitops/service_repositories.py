"""The clones of the services' own repositories, and the commit in them that a version is."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import listdir
from pathlib import Path
from typing import Final

from vpemetrics.collectors.git.clone import look_at, origin_of
from vpemetrics.collectors.git.commands import Git
from vpemetrics.collectors.gitops.options import Options
from vpemetrics.errors import VpemetricsError
from vpemetrics.folders import locate
from vpemetrics.names import name_key

_SERVICE: Final = "{service}"
_FULL: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SHA: Final = re.compile(r"(?<![0-9a-z])[0-9a-f]{7,64}(?![0-9a-z])")


# https://git-scm.com/docs/git-check-ref-format; with them git would look for a commit by its
# message, its age or its path: https://git-scm.com/docs/gitrevisions
_IN_NO_NAME: Final = re.compile(r"[\0-\x20\x7f~^:?*\[\\]|\.\.|@\{")


@dataclass(frozen=True, kw_only=True)
class ServiceRepository:
    """The clone of a service: its place as the options say it, and the repository's name."""

    place: str
    git: Git
    repository: str | None


class ServiceRepositories:
    """The clones of services, as the options say where they are."""

    def __init__(self, options: Options, folder: Path, declared: Collection[str] = ()) -> None:
        """Nothing is looked at yet; `folder` is what relative paths are relative to.

        `declared` are the keys of the names of services that the configuration gives.
        """
        self._options = options
        self._folder = folder
        self._declared = declared
        self._homes: dict[str, ServiceRepository | None] = {}
        self._commits: dict[tuple[str, str], str | None] = {}
        self.errors: dict[str, VpemetricsError] = {}
        """Errors, by the place of the clone."""

    def of(self, service: str) -> ServiceRepository | None:
        """The clone of a service; None if it is not at hand."""
        if service not in self._homes:
            self._homes[service] = self._find(service)
        return self._homes[service]

    def among(self, services: Iterable[str]) -> dict[str, list[str]]:
        """The services whose clones are at hand, by the place of the clone."""
        found: dict[str, list[str]] = {}
        for service in services:
            if home := self.of(service):
                found.setdefault(home.place, []).append(service)
        return found

    def repository(self, service: str) -> str | None:
        """The name of a service's repository, where it is known."""
        home = self.of(service)
        return home.repository if home else self._repository_name(service)

    def resolve(self, service: str, versions: Sequence[str]) -> Mapping[str, str]:
        """The commits that versions of a service are, where they are any."""
        home, found = self.of(service), dict[str, str]()
        if home:
            try:
                found = resolve(home.git, service, versions, self._options.tag)
            except VpemetricsError as error:
                self.errors[home.place] = error
        else:
            found = {version: version for version in versions if _FULL.fullmatch(version)}
        self._commits |= {(service, version): found.get(version) for version in versions}
        return found

    def commit(self, service: str, version: str) -> str | None:
        """The commit that a version is, once it was resolved."""
        return self._commits[service, version]

    def commits(self, services: Iterable[str]) -> list[str]:
        """All the commits that versions of services were resolved to."""
        wanted = set(services)
        found = (sha for (service, _), sha in self._commits.items() if sha and service in wanted)
        return sorted({*found})

    def unresolved(self, service: str) -> list[str]:
        """The versions of a service that are no commits, as far as they were looked for."""
        return sorted(v for (name, v), sha in self._commits.items() if name == service and not sha)

    def _find(self, service: str) -> ServiceRepository | None:
        place = self._place(service)
        if place is None:
            return None
        git = Git(path=locate(self._folder, place))
        repository = self._repository_name(service)
        try:
            return ServiceRepository(
                place=place, git=git, repository=repository or origin_of(git).name
            )
        except VpemetricsError as error:
            self.errors[place] = error
            return ServiceRepository(place=place, git=git, repository=None)

    def _place(self, service: str) -> str | None:
        """The place of a service's clone; None if there is none.

        Whoever writes to the configuration repository names services. So a name is compared with
        what lies in the folder and is no path: a slash only counts in one that is declared, and
        nothing that begins with a dot does, as `..` or `.git`.
        """
        pattern, parts = self._options.clones, service.split("/")
        is_nested = len(parts) > 1 and name_key(service) not in self._declared
        if pattern is None or is_nested or not all(map(_is_plain, parts)):
            return None
        place = pattern.replace(_SERVICE, service)
        before, service_, _ = pattern.partition(_SERVICE)
        # From the first step on that has the service's name in it.
        named = place[before.rfind("/") + 1 :].split("/") if service_ else []
        folder = locate(self._folder, before[: before.rfind("/") + 1] or ".")
        for step in named:
            if not _is_listed(folder, step):
                return None
            folder /= step
        return place if locate(self._folder, place).is_dir() else None

    def _repository_name(self, service: str) -> str | None:
        named = self._options.repository
        return named.replace(_SERVICE, service) if named else None


def _is_plain(name: str) -> bool:
    return name.isprintable() and not name.startswith(".") and not {*"/\\:"} & {*name}


def _is_listed(folder: Path, name: str) -> bool:
    try:
        return name in listdir(folder)
    except OSError:
        return False


def resolve(git: Git, service: str, versions: Iterable[str], tag: str | None) -> dict[str, str]:
    """The commits that versions are, where they are any: by tag, else by a sha in them.

    `tag` is how a version's tag is called; without it, as the version itself or with a `v`.
    One run of git for all.
    """
    asked = [
        (version, name)
        for version in versions
        for name in _names(service, version, tag)
        if not _IN_NO_NAME.search(name)  # a line each, and no more than a name
    ]
    # One line each, also for what there is not ("… missing"), in the order asked for.
    # https://git-scm.com/docs/git-cat-file#_batch_output
    lines = git.text(
        "cat-file",
        "--batch-check=%(objectname)",
        given=(f"{name}^{{commit}}" for _, name in asked),
    ).split("\n")[: len(asked)]
    found: dict[str, str] = {}
    for (version, _), said in zip(asked, lines, strict=True):
        if _FULL.fullmatch(said):
            found.setdefault(version, said)
    return found


def off_branch(git: Git, commits: Sequence[str]) -> list[str]:
    """Those of commits that the default branch does not reach."""
    if not commits:
        return []
    tip = look_at(git).tip
    lines = [*commits, f"^{tip}"] if tip else commits
    beyond = set(git.text("rev-list", "--stdin", given=lines).split())
    return [sha for sha in commits if sha in beyond]


def _names(service: str, version: str, tag: str | None) -> Iterator[str]:
    for form in (tag,) if tag else ("{version}", "v{version}"):
        name = form.replace(_SERVICE, service).replace("{version}", version)
        yield f"refs/tags/{name}"
    yield from _SHA.findall(version)
