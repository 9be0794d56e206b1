"""The clone itself: its name, its branches and tags, how far it reaches."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from vpemetrics.collectors.git.commands import Git
from vpemetrics.collectors.git.remotes import Remote, remote_of
from vpemetrics.errors import FixConfiguration
from vpemetrics.files import read_beginning
from vpemetrics.version_tags import Tag

# Hosts keep the heads of pull requests there; nobody fetches them unasked.
# https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/reviewing-changes-in-pull-requests/checking-out-pull-requests-locally
# https://docs.gitlab.com/user/project/merge_requests/merge_request_troubleshooting/
_PULL: Final = re.compile(r"([0-9a-f]+) refs/(?:pull|merge-requests)/(\d{1,9})/head")
_PULLS: Final = ("refs/pull/*/head", "refs/merge-requests/*/head")
# `*` stands for what an annotated tag points at: https://git-scm.com/docs/git-for-each-ref
_REF: Final = (
    "%(refname)%00%(objectname)%00%(objecttype)%00%(*objectname)%00%(*objecttype)%00"
    "%(creatordate:unix)%00%(*committerdate:unix)%00%(symref)"
)
_LONGEST_NAME: Final = 600
_MOST_BYTES: Final = 64 << 20
_USUAL_BRANCHES: Final = ("main", "master", "trunk", "develop")


class GitRef(NamedTuple):
    """A branch or tag as git lists it; what makes no sense for it is empty."""

    name: str
    sha: str
    type: str
    peeled: str
    peeled_type: str
    created: str
    committed: str
    symbolic: str


@dataclass(frozen=True, kw_only=True)
class Origin:
    """A repository's place on this disk, and where it came from."""

    git: Git
    remote: Remote | None
    folder: str

    @property
    def name(self) -> str:
        """The repository's name by its remote, if that can be one, else by its folder."""
        path = self.remote.path if self.remote else ""
        return path if 0 < len(path) <= _LONGEST_NAME else self.folder

    @property
    def mark(self) -> str:
        """The character before a pull request's number here."""
        return "!" if self.remote and self.remote.is_gitlab else "#"


@dataclass(frozen=True, kw_only=True)
class Clone(Origin):
    """A repository as it lies on this disk.

    `tip` is the default branch's newest commit, None in an empty repository; `tags` are those
    of commits, `pulls` the heads of pull requests by number; `boundary` are the commits at which
    a shallow clone is cut. `seen_at` is when it was last brought up to date; None if that is
    now, because it came from nowhere else.
    """

    branch: str | None
    tip: str | None
    tags: tuple[Tag, ...]
    pulls: Mapping[int, str] = field(repr=False)
    boundary: frozenset[str]
    seen_at: datetime | None


def origin_of(git: Git) -> Origin:
    """The origin of the repository at a folder, without a look at its references."""
    return Origin(git=git, remote=remote_of(git), folder=_folder(git.layout.common))


def look_at(git: Git, branch: str | None = None) -> Clone:
    """The repository at a folder; `branch` names its default branch if git is not to say it."""
    common = git.layout.common
    remote = remote_of(git)
    refs = _refs(git)
    name, tip = _main_line(git, refs, remote, branch)
    return Clone(
        git=git,
        remote=remote,
        branch=name,
        tip=tip,
        tags=tuple(_tags(git, refs.values())),
        pulls=_pulls(git),
        boundary=_boundary(common),
        seen_at=None
        if remote is None and not git.layout.is_bare
        else _seen_at(common, remote, name),
        folder=_folder(common),
    )


def _refs(git: Git) -> dict[str, GitRef]:
    places = ("refs/heads", "refs/tags", "refs/remotes")
    # A name may hold what Unicode takes for the end of a line, but for a line feed:
    # https://git-scm.com/docs/git-check-ref-format
    lines = git.text("for-each-ref", f"--format={_REF}", *places).split("\n")
    found = (GitRef._make(line.split("\0")) for line in filter(None, lines))
    return {ref.name: ref for ref in found}


def _pulls(git: Git) -> dict[int, str]:
    listed = git.text("for-each-ref", "--format=%(objectname) %(refname)", *_PULLS)
    return {int(number): sha for sha, number in _PULL.findall(listed)}


def _tags(git: Git, refs: Iterable[GitRef]) -> Iterable[Tag]:
    tags = [ref for ref in refs if ref.name.startswith("refs/tags/")]
    commits = {ref.sha: ref.sha for ref in tags if ref.type == "commit"}
    commits |= {ref.sha: ref.peeled for ref in tags if ref.peeled_type == "commit"}
    commits |= _followed(git, [ref.sha for ref in tags if ref.peeled_type == "tag"])
    for ref in tags:
        if commit := commits.get(ref.sha):
            name, seconds = ref.name.removeprefix("refs/tags/"), ref.created or ref.committed
            yield Tag(name, commit, seconds, light=ref.type == "commit")


def _followed(git: Git, tags: Sequence[str]) -> dict[str, str]:
    """The commits that tags of tags lead to, which git before 2.45 does not tell with them."""
    if not tags:
        return {}
    told = git.objects(f"{tag}^{{commit}}" for tag in tags)
    return {tag: sha for tag, (kind, sha) in zip(tags, told, strict=True) if kind == "commit"}


def _main_line(
    git: Git, refs: Mapping[str, GitRef], remote: Remote | None, wanted: str | None
) -> tuple[str | None, str | None]:
    """The name and the newest commit of the default branch: the remote's HEAD, else ours."""
    heads, theirs = "refs/heads/", f"refs/remotes/{remote.name}/" if remote else "refs/heads/"
    if wanted is not None:
        found = refs.get(theirs + wanted) or refs.get(heads + wanted)
        if found is None:
            raise FixConfiguration(f"{git.path} has no branch {wanted}")
        return wanted, found.sha
    symbolic = refs.get(theirs + "HEAD")
    if symbolic and symbolic.symbolic in refs:
        return symbolic.symbolic.removeprefix(theirs), symbolic.sha
    if tip := git.attempt("rev-parse", "-q", "--verify", "HEAD^{commit}"):
        ours = (git.attempt("symbolic-ref", "-q", "HEAD") or "").strip()
        return ours.removeprefix(heads) or None, tip.strip()
    for place in (theirs, heads):
        for name in _USUAL_BRANCHES:
            if place + name in refs:
                return name, refs[place + name].sha
    return None, None


def _boundary(common: Path) -> frozenset[str]:
    # One commit a line, each without the parents it has: https://git-scm.com/docs/shallow
    return frozenset(
        read_beginning(common / "shallow", _MOST_BYTES).decode("ascii", "replace").split()
    )


def _seen_at(common: Path, remote: Remote | None, branch: str | None) -> datetime | None:
    """The time of the last fetch; without one of the cloning; else of the newest ref."""
    fetched = _fetch_time(common / "FETCH_HEAD", branch)
    cloned = _write_time(common / "refs" / "remotes" / remote.name / "HEAD") if remote else None
    if fetched or cloned:
        return max(filter(None, (fetched, cloned)))
    refs = (path for path in (common / "refs").rglob("*") if path.is_file())
    times = [_write_time(path) for path in (common / "packed-refs", common / "HEAD", *refs)]
    return max(filter(None, times), default=None)


def _fetch_time(head: Path, branch: str | None) -> datetime | None:
    """The time of the default branch's last fetch; a fetch that fails leaves the file empty."""
    # Every fetch writes the file anew, with a line for each ref: https://git-scm.com/docs/git-fetch
    brought = read_beginning(head, _MOST_BYTES).decode("utf-8", "replace")
    has_branch = f"\tbranch '{branch}' of " in brought if branch else bool(brought)
    return _write_time(head) if has_branch else None


def _write_time(path: Path) -> datetime | None:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:
        return None


def _folder(common: Path) -> str:
    whole = common.resolve()
    name = whole.parent.name if whole.name == ".git" else whole.name.removesuffix(".git")
    return os.fsencode(name).decode("utf-8", "replace")
