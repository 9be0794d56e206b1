"""Findings on collecting from a git repository: its state, its age, and what was deployed."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from shlex import quote
from typing import Final

from vpemetrics.collectors.authors import is_unlisted, lines_for, unlisted_automation, unlisted_text
from vpemetrics.collectors.base import CollectionContext, Finding, Level
from vpemetrics.collectors.git.clone import Clone, look_at
from vpemetrics.collectors.git.collect import missing_originals
from vpemetrics.collectors.git.commands import Git
from vpemetrics.collectors.git.commits import GitAuthors
from vpemetrics.collectors.git.log import read_log_columns
from vpemetrics.collectors.git.options import Options
from vpemetrics.folders import locate
from vpemetrics.version_tags import deployed_tags
from vpemetrics.window import format_instant

_STALE: Final = timedelta(days=7)
_YEAR: Final = timedelta(days=365)


def check(options: Options, context: CollectionContext) -> Iterator[Finding]:
    """Yield findings on the path: what lies there, how old it is, and what in it was deployed."""
    place = locate(context.folder, options.path).resolve()
    clone = look_at(Git(path=place), options.branch)
    yield whereabouts(clone, options.repository)
    yield freshness(clone, context.now)
    if options.deployments == "tags":
        yield _versions(clone, options)
    yield from authors(clone, context)
    lacks = missing_originals(options, place, context.cursors)
    if lacks:
        yield Finding(
            topic="originals",
            level=Level.WARNING,
            text=f"{lacks.missing:,} pull requests lack their original commits",
            mend=lacks.command,
        )


def authors(clone: Clone, context: CollectionContext) -> Iterator[Finding]:
    """Name authors of a year's commits who look like automation and are in no list."""
    if clone.tip is None:
        return
    since = f"--since={format_instant(context.now - _YEAR)}"
    log = read_log_columns(clone.git, [clone.tip], more=["--no-merges", since])
    known = GitAuthors(context.rules)
    counts = Counter(
        name if is_unlisted(name, known.kind_of) else email
        for some in log
        for email, name in zip(some.emails, some.names, strict=True)
    )
    if found := unlisted_automation(counts, known.kind_of):
        yield Finding(
            topic="authors",
            level=Level.WARNING,
            text=unlisted_text(found),
            mend=lines_for(found),
        )


def whereabouts(clone: Clone, name: str | None = None) -> Finding:
    """Name the repository, and say if there is nothing in it."""
    if clone.tip is None:
        return Finding(topic="path", level=Level.ERROR, text=f"{clone.git.path} has no commits yet")
    branch = f", branch {clone.branch}" if clone.branch else ""
    if clone.boundary:
        return Finding(
            topic="path",
            level=Level.WARNING,
            text=f"a shallow clone of {name or clone.name}{branch}: its history is cut",
            mend=f"git -C {quote(str(clone.git.path))} fetch --unshallow",
        )
    kind = "clone" if clone.remote else "repository"
    return Finding(topic="path", text=f"a {kind} of {name or clone.name}{branch}")


def freshness(clone: Clone, now: datetime) -> Finding:
    """Say how long ago it was fetched, which is how new a collection can be."""
    if clone.seen_at is None:
        return Finding(topic="fetch", text="it is the repository itself, always up to date")
    days = (now - clone.seen_at).days
    text = f"last fetched {_days(days)}"
    if now - clone.seen_at <= _STALE:
        return Finding(topic="fetch", text=text, numbers={"days": days})
    return Finding(
        topic="fetch",
        level=Level.WARNING,
        text=text,
        mend=f"git -C {quote(str(clone.git.path))} fetch --tags",
        numbers={"days": days},
    )


def _days(days: int) -> str:
    if days < 1:
        return "today"
    return f"{days:,} day{'' if days == 1 else 's'} ago"


def _versions(clone: Clone, options: Options) -> Finding:
    count = len(deployed_tags(clone.tags, options.tags))
    text = f"{count:,} of {len(clone.tags):,} tags are versions that were deployed"
    if count:
        return Finding(topic="deployments", text=text, numbers={"tags": count})
    return Finding(
        topic="deployments",
        level=Level.WARNING,
        text=text,
        mend='deployments = "commits" in vpemetrics.toml if every commit is deployed, else '
        "`tags` with patterns of the tags that are",
        numbers={"tags": 0},
    )
