"""A first look at a clone: its versions, its commits of late, and who owns it."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from vpemetrics.collectors.discovery import DAYS, RepositoryOverview, Tally, Versions
from vpemetrics.collectors.git.clone import Clone
from vpemetrics.collectors.git.commands import GitFailed
from vpemetrics.collectors.git.log import moment
from vpemetrics.version_tags import Tag, deployed_tags, service_of

_CODEOWNERS: Final = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
# GitHub does not load a larger CODEOWNERS, and nobody writes a larger catalog:
# https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners#codeowners-file-size
_MOST: Final = 3 * 2**20
_YEAR: Final = timedelta(weeks=52)
_CATALOG: Final = "catalog-info.yaml"


def overview_of(clone: Clone, now: datetime) -> RepositoryOverview:
    """The overview of a clone; its `merges` are the commits on the default branch's own line."""
    since = now - timedelta(days=DAYS)
    owners = (_text(clone, path) for path in _CODEOWNERS)
    return RepositoryOverview(
        repository=clone.name,
        tags=_versions(clone, since),
        merges=Tally(count=_commits(clone, since)),
        codeowners=next(filter(None, owners), None),
        catalog=_text(clone, _CATALOG),
    )


def _versions(clone: Clone, since: datetime) -> Versions:
    tags = deployed_tags(clone.tags, ())
    late = [tag for tag in tags if (at := moment(tag.seconds)) and at >= since]
    services = sorted({service_of(tag.name, clone.name) or "" for tag in late or _last(tags)})
    return Versions(
        tally=Tally(count=len(late)),
        ever=len(tags),
        services=tuple(services) or ("",),
        folders=_folders(clone, [service for service in services if service]),
    )


def _last(tags: Sequence[Tag]) -> list[Tag]:
    """The tags of the year before the last of them: what was tagged before is over (rule D6)."""
    times = {tag: at for tag in tags if (at := moment(tag.seconds))}
    newest = max(times.values(), default=None)
    return [tag for tag, at in times.items() if newest and at >= newest - _YEAR]


def _folders(clone: Clone, services: Sequence[str]) -> dict[str, str]:
    """The folder of each service that has one of its name, which is nearest to the root alone.

    A package's name may have a scope before it, as in `@acme/cart`.
    """
    if clone.tip is None or not services:
        return {}
    # https://git-scm.com/docs/git-ls-tree
    listed = clone.git.text("ls-tree", "-r", "-d", "-z", "--name-only", clone.tip)
    by_name: dict[str, list[str]] = {}
    for path in filter(None, listed.split("\0")):
        by_name.setdefault(path.rpartition("/")[2].casefold(), []).append(path)
    found = {}
    for service in services:
        places = by_name.get(re.split("[/@]", service)[-1].casefold(), [])
        depth = min((path.count("/") for path in places), default=0)
        nearest = [path for path in places if path.count("/") == depth]
        if len(nearest) == 1:
            found[service] = nearest[0]
    return found


def _commits(clone: Clone, since: datetime) -> int:
    if clone.tip is None:
        return 0
    begin = f"--since={since:%Y-%m-%dT%H:%M:%SZ}"
    return int(clone.git.text("rev-list", "--count", "--first-parent", begin, clone.tip))


def _text(clone: Clone, path: str) -> str | None:
    """A file on the default branch; None of one that is larger than any that counts."""
    if clone.tip is None:
        return None
    try:
        content = clone.git.beginning("cat-file", "blob", f"{clone.tip}:{path}", most=_MOST + 1)
    except GitFailed:
        return None
    return content.decode("utf-8", "replace") if len(content) <= _MOST else None
