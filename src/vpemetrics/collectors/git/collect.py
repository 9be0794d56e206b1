"""A git repository as a source: what is new in it, as records."""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from shlex import quote
from typing import Final

from vpemetrics.agents import author_settings
from vpemetrics.collectors.base import Batch, CollectionContext
from vpemetrics.collectors.git.clone import Clone, Origin, look_at, origin_of
from vpemetrics.collectors.git.commands import Git
from vpemetrics.collectors.git.commits import GitAuthors, Recorder
from vpemetrics.collectors.git.cursor import GitCursor, parse_cursor
from vpemetrics.collectors.git.log import moment
from vpemetrics.collectors.git.options import Options
from vpemetrics.collectors.git.pulls import Numbers
from vpemetrics.collectors.git.reading import CloneReader, HistoryReading
from vpemetrics.collectors.git.record_builder import GitRecordBuilder
from vpemetrics.fingerprint import digest, fingerprint
from vpemetrics.folders import locate
from vpemetrics.names import first_few, name_key
from vpemetrics.record_columns import RecordColumns
from vpemetrics.records import AnyRecord, Change, Deployment
from vpemetrics.version_tags import Tag, version_tags
from vpemetrics.window import format_instant, parse_instant

_TOLD: Final = 5
"""The version of what is told: with another one the next collection reads all again."""
_PLAIN: Final = re.compile(r"\w[\w./-]*", re.ASCII)
_SCOPE: Final = "repository"
_SHOWN_OF_SHA: Final = 12
_BARE_KEY: Final = re.compile(r"[\w-]+", re.ASCII)  # https://toml.io/en/v1.0.0#keys
_OFTEN: Final = 4096
_FEW, _SHOWN = 2, 60


def collect(
    options: Options, context: CollectionContext, also: Sequence[str] = ()
) -> Iterator[Batch]:
    """Yield what a repository holds that is new since the cursor; no batch if nothing is.

    `also` are commits whose history is wanted too, wherever they lie.
    """
    clone = look_at(Git(path=locate(context.folder, options.path).resolve()), options.branch)
    repository = options.repository or clone.name
    since = context.begin(options.since)
    tags = [*_deployment_tags(options, clone, since), *(Tag(sha, sha, "") for sha in also)]
    if clone.tip is None and not tags:
        context.warn(f"{clone.git.path} has no commits yet")
        return
    settings = _settings(options, context, repository, clone)
    after = _to_go_on_from(context, clone, settings)
    told = Recorder(context.source, repository, GitAuthors(context.rules))
    reading = CloneReader(clone, tags, told).read(after)
    cursor = _cursor(clone, reading, tags, settings, context.now)
    builder = GitRecordBuilder(
        options=options,
        clone=clone,
        repository=repository,
        tags=tags,
        reading=reading,
        since=since,
        now=context.now,
    )
    if push := builder.latest_push:
        cursor = replace(
            cursor,
            push=push.first,
            pushed_at=format_instant(push.began_at),
            newest_at=format_instant(push.at),
        )
    _warn(builder, context)
    if cursor == after:
        return
    _warn_of_bare(clone, cursor, context)
    _warn_of_odd_merges(builder, context)
    yield Batch(
        records=_records(builder, cursor, context),
        columns=_columns(builder, context),
        cursors={_SCOPE: cursor.to_json()},
        gone=_gone(builder, parse_cursor(context.cursors.get(_SCOPE))),
    )


@dataclass(frozen=True, kw_only=True)
class MissingOriginals:
    """A clone without the original commits of squashed pull requests.

    `missing` is how many of these there are, `command` what brings the commits.
    """

    repository: str
    missing: int
    command: str


def missing_originals(
    options: Options, place: Path, cursors: Mapping[str, str]
) -> MissingOriginals | None:
    """Return what a clone lacked of original commits when it was collected last.

    None where it lacked nothing, and where it came from nowhere that they could be had from.
    """
    cursor = parse_cursor(cursors.get(_SCOPE))
    if cursor is None or not cursor.bare:
        return None
    origin = origin_of(Git(path=place.resolve()))
    command = _mend(origin)
    if command is None:
        return None
    repository = options.repository or origin.name
    return MissingOriginals(repository=repository, missing=len(cursor.bare), command=command)


def _mend(origin: Origin) -> str | None:
    """The command that brings original commits; on a GitLab pull requests are merge requests.

    None for a remote whose name would be something else in a command that a person copies.
    """
    remote = origin.remote
    if remote is None or not _PLAIN.fullmatch(remote.name):
        return None
    kind = "merge-requests" if remote.is_gitlab else "pull"
    path = quote(str(origin.git.path))
    return f"git -C {path} fetch {remote.name} '+refs/{kind}/*/head:refs/{kind}/*/head'"


def _deployment_tags(options: Options, clone: Clone, since: datetime | None) -> list[Tag]:
    """The tags that were deployed; where a source beside this one knows that, those that may be."""
    if options.deployments == "commits":
        return []
    tags = version_tags(clone.tags, options.tags)
    return [tag for tag in tags if not since or (moment(tag.seconds) or since) >= since]


def _settings(options: Options, context: CollectionContext, repository: str, clone: Clone) -> str:
    """A short text that differs where something else would be told of the same history."""
    authors, paths = author_settings(context.rules), _wants_paths(context, repository)
    decisive = (_TOLD, asdict(options), repository, clone.branch, authors, paths)
    return fingerprint(*decisive, context.rules.zone)


def _wants_paths(context: CollectionContext, repository: str) -> bool:
    mine = (None, name_key(repository))
    return any(
        service.paths and (service.repository and name_key(service.repository)) in mine
        for service in context.rules.services
    )


def _gone(
    builder: GitRecordBuilder, before: GitCursor | None
) -> dict[type[AnyRecord], Collection[str]]:
    """The records that were told, and are none as the references are now.

    Numbers that are issues', and tags that were deployments only until another one came. A tag
    that was deleted was deployed all the same, and a clone that is cut need not hold all.
    """
    reading, clone = builder.reading, builder.clone
    if before is None:
        return {}
    there, deployed = {tag.name for tag in clone.tags}, {tag.name for tag in builder.tags}
    again = {*reading.landings, *(before.told if reading.after or clone.boundary else ())}
    return {
        Change: [builder.change_id(number) for number in before.told if number not in again],
        Deployment: [name for name in before.tags if name in there and name not in deployed],
    }


def _to_go_on_from(context: CollectionContext, clone: Clone, settings: str) -> GitCursor | None:
    """The end of the last collection, if what it told stands as it is.

    Heads of pull requests that came or moved since may say otherwise.
    """
    cursor = parse_cursor(context.cursors.get(_SCOPE))
    if cursor is None or cursor.settings != settings:
        return None
    if cursor.boundary != tuple(sorted(clone.boundary)):
        return None
    numbers = Numbers(clone.pulls)
    stands = (
        cursor.heads == _heads_of(cursor.told, clone)
        and all(map(numbers.can_be_pull, cursor.pulls))
        and not any(map(numbers.can_be_pull, cursor.issues))
    )
    return cursor if stands else None


def _heads_of(numbers: Iterable[int], clone: Clone) -> str:
    """A short text that differs where the heads of some pull requests do."""
    return digest(" ".join(f"{number} {clone.pulls.get(number)}" for number in numbers))


def _cursor(
    clone: Clone, reading: HistoryReading, tags: Sequence[Tag], settings: str, now: datetime
) -> GitCursor:
    after, found = reading.after, reading.landings
    bare = [n for n, one in found.items() if not reading.is_merge(one) and n not in clone.pulls]
    told = (*(after.told if after else ()), *sorted(found))
    numbers, marked = Numbers(clone.pulls), set(reading.marked)
    if after:
        marked.update(after.issues, after.pulls)
    return GitCursor(
        settings=settings,
        tip=clone.tip,
        tags={tag.name: tag.state for tag in tags},
        boundary=tuple(sorted(clone.boundary)),
        told=told,
        issues=tuple(sorted(number for number in marked if not numbers.can_be_pull(number))),
        pulls=tuple(sorted(filter(numbers.can_be_pull, marked))),
        heads=_heads_of(told, clone),
        bare=(*(after.bare if after else ()), *sorted(bare)),
        first_at=after.first_at if after else format_instant(_first_at(clone, reading, now)),
        last_at=format_instant(_last_at(clone, reading, tags, now)),
        newest_at=after.newest_at if after else "",
        imports=reading.imports,
        odd_merges=(
            *(after.odd_merges if after else ()),
            *(sha[:_SHOWN_OF_SHA] for sha in reading.odd_merges),
        ),
        push=after.push if after else "",
        pushed_at=after.pushed_at if after else "",
    )


def _first_at(clone: Clone, reading: HistoryReading, now: datetime) -> datetime:
    """The time from where on the history is whole: its first commit, or the first after a cut."""
    commits, order = reading.commits, reading.arrivals.order
    if clone.boundary:
        reading.wait()
    cut = [commits.moment_of(sha) for sha in clone.boundary if sha in commits.parents]
    if cut:
        return max(filter(None, cut), default=now)
    return next((at for sha in order if (at := commits.moment_of(sha))), now)


def _last_at(clone: Clone, reading: HistoryReading, tags: Sequence[Tag], now: datetime) -> datetime:
    """Until when everything that happened is known: to the last fetch, or the newest fact."""
    known = [clone.seen_at or now, *(moment(tag.seconds) for tag in tags)]
    if reading.line:
        known.append(reading.commits.moment_of(reading.line[0]))
    if reading.after:
        known.append(parse_instant(reading.after.last_at))
    return min(now, max(filter(None, known)))


def _records(
    builder: GitRecordBuilder, cursor: GitCursor, context: CollectionContext
) -> Iterator[AnyRecord]:
    """The records of which there are few."""
    yield from builder.repositories()
    yield from builder.deployments
    start, end = parse_instant(cursor.first_at), parse_instant(cursor.last_at)
    yield from builder.coverage(context.source, start, end)


def _columns(builder: GitRecordBuilder, context: CollectionContext) -> Iterator[RecordColumns]:
    """All others; first those that can be saved while git is at the heads of pull requests."""
    deployed = builder.deployed
    yield from _commits(builder, deployed, 0, len(deployed), context)
    if builder.reading.landings:
        yield builder.changes(context.source)
    originals = builder.originals
    whole = len(deployed) + len(originals)
    yield from _commits(builder, originals, len(deployed), whole, context)


def _commits(
    builder: GitRecordBuilder, shas: Sequence[str], before: int, of: int, context: CollectionContext
) -> Iterator[RecordColumns]:
    """The records of commits, with progress: so many more, after those before them."""
    with_paths = _wants_paths(context, builder.repository)
    for start in range(0, len(shas), _OFTEN):
        context.progress(before + start, of)
        yield builder.commits(shas[start : start + _OFTEN], with_paths=with_paths)
    context.progress(before + len(shas), of)


def _warn(builder: GitRecordBuilder, context: CollectionContext) -> None:
    """Say what keeps all figures from being right, until it is mended."""
    clone, path = builder.clone, builder.clone.git.path
    if clone.boundary:
        context.warn(
            f"{path} is a shallow clone: its history is cut, so lead times and what a "
            f"deployment shipped are known only in part; mend it with: "
            f"git -C {quote(str(path))} fetch --unshallow"
        )
    if builder.options.deployments == "tags" and not builder.tags:
        context.warn(f"no deployments in {path}: {_why_none(builder, context)}")


def _warn_of_odd_merges(builder: GitRecordBuilder, context: CollectionContext) -> None:
    """Say which merges are in no form that is known here, when they are met."""
    if odd := builder.reading.odd_merges:
        merges = "1 merge" if len(odd) == 1 else f"{len(odd):,} merges"
        context.warn(
            f"{merges} into {builder.clone.branch} of {builder.clone.git.path} may be of pull "
            f"requests, in words that are not known here, so the commits count one by one: "
            f"{first_few([repr(subject[:_SHOWN]) for subject in odd.values()], _FEW)}"
        )


def _why_none(builder: GitRecordBuilder, context: CollectionContext) -> str:
    """Say why no tag was deployed, and what mends it."""
    clone, options = builder.clone, builder.options
    names = [tag.name for tag in clone.tags]
    if version_tags(clone.tags, options.tags):
        return f"none of its tags was made since {builder.since:%Y-%m-%d}, which is its `since`"
    why = "it has no tags"
    if names:
        fits = "fits `tags`" if options.tags else "is a version"
        why = f"none of its {len(names)} tags, such as {names[-1]}, {fits}"
    name = context.source if _BARE_KEY.fullmatch(context.source) else json.dumps(context.source)
    lines = (
        f"{why}; if every commit of {clone.branch or 'its branch'} is deployed, say so in "
        f"{context.folder / 'vpemetrics.toml'} with",
        f"[sources.{name}]",
        'type = "git"',
        'deployments = "commits"',
        'or else which tags are, in place of the last line: tags = ["released-*"]',
    )
    return "\n".join(lines)


def _warn_of_bare(clone: Clone, cursor: GitCursor, context: CollectionContext) -> None:
    """Say which originals are missing, when they are met; reports say it ever after."""
    if cursor.bare:
        command = _mend(clone)
        context.warn(
            f"the original commits of {len(cursor.bare):,} of {len(cursor.told):,} pull "
            f"requests are not in {clone.git.path}, so their lead time starts at the merge"
            + (f"; mend it with: {command}" if command else "")
        )
