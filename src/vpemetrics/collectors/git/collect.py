"""A git repository as a source: what is new in it, as records."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from shlex import quote
from typing import Final

from vpemetrics.collectors.base import Occasion, Portion, bot_test
from vpemetrics.collectors.git.clone import Clone, look_at
from vpemetrics.collectors.git.commands import Git
from vpemetrics.collectors.git.commits import Recorder
from vpemetrics.collectors.git.log import moment
from vpemetrics.collectors.git.options import Options
from vpemetrics.collectors.git.position import Position, parse_position
from vpemetrics.collectors.git.reading import Reader, Reading
from vpemetrics.collectors.git.tags import Tag, deployed_tags
from vpemetrics.collectors.git.telling import Telling
from vpemetrics.records import AnyRecord, Commit
from vpemetrics.window import format_instant, parse_instant

_SCOPE: Final = "repository"
_TOLD: Final = 2
"""The version of what is told: with another one the next collection reads all again."""
_OFTEN: Final = 4096


def collect(options: Options, occasion: Occasion, also: Sequence[str] = ()) -> Iterator[Portion]:
    """What a repository holds that is new since the cursor; no portion if nothing is.

    `also` are commits whose history is wanted too, wherever they lie.
    """
    clone = look_at(Git(path=(occasion.folder / options.path).resolve()), options.branch)
    repository = options.repository or clone.name
    since = occasion.begin(options.since)
    tags = [*_deployed(options, clone, since), *(Tag(sha, sha, "") for sha in also)]
    if clone.tip is None and not tags:
        occasion.warn(f"{clone.git.path} has no commits yet")
        return
    settings = _settings(options, occasion, repository, clone)
    after = _to_go_on_from(occasion, clone, settings)
    told = Recorder(repository, bot_test(occasion.rules.bots))
    reading = Reader(clone, tags, told).read(after)
    position = _position(clone, reading, tags, settings, occasion.now)
    telling = Telling(
        options=options,
        clone=clone,
        repository=repository,
        tags=tags,
        reading=reading,
        since=since,
    )
    if telling.newest_at:
        position = replace(position, newest_at=format_instant(telling.newest_at))
    _warn(telling, occasion)
    if position == after:
        return
    _warn_of_bare(clone, position, occasion)
    yield Portion(
        records=_records(telling, position, occasion), cursors={_SCOPE: position.to_json()}
    )


@dataclass(frozen=True, kw_only=True)
class Lacking:
    """A clone without the original commits of squashed pull requests.

    `missing` is how many of these there are, `command` what brings the commits.
    """

    repository: str
    missing: int
    command: str


def lacking(options: Options, place: Path, cursors: Mapping[str, str]) -> Lacking | None:
    """What a clone lacked of original commits when it was collected last.

    None where it lacked nothing, and where it came from nowhere that they could be had from.
    """
    position = parse_position(cursors.get(_SCOPE))
    if position is None or not position.bare:
        return None
    clone = look_at(Git(path=place.resolve()))
    command = _mend(clone)
    if command is None:
        return None
    repository = options.repository or clone.name
    return Lacking(repository=repository, missing=len(position.bare), command=command)


def _mend(clone: Clone) -> str | None:
    """The command that brings original commits; on a GitLab pull requests are merge requests."""
    remote = clone.remote
    if remote is None:
        return None
    kind = "merge-requests" if remote.is_gitlab else "pull"
    path = quote(str(clone.git.path))
    return f"git -C {path} fetch {remote.name} '+refs/{kind}/*/head:refs/{kind}/*/head'"


def _deployed(options: Options, clone: Clone, since: datetime | None) -> list[Tag]:
    """The tags that were deployed; where a source beside this one knows that, those that may be."""
    if options.deployments == "commits":
        return []
    tags = deployed_tags(clone.tags, options.tags)
    return [tag for tag in tags if not since or (moment(tag.seconds) or since) >= since]


def _settings(options: Options, occasion: Occasion, repository: str, clone: Clone) -> str:
    """A short text that differs where something else would be told of the same history."""
    bots, paths = occasion.rules.bots, _wants_paths(occasion, repository)
    decisive = (_TOLD, asdict(options), repository, clone.branch, bots, paths, occasion.rules.zone)
    return blake2b(json.dumps(decisive, default=str).encode(), digest_size=8).hexdigest()


def _wants_paths(occasion: Occasion, repository: str) -> bool:
    services = occasion.rules.services
    return any(one.paths and one.repository in (None, repository) for one in services)


def _to_go_on_from(occasion: Occasion, clone: Clone, settings: str) -> Position | None:
    """Where the last collection ended, if what it told stands as it is."""
    position = parse_position(occasion.cursors.get(_SCOPE))
    if position is None or position.settings != settings:
        return None
    if position.boundary != tuple(sorted(clone.boundary)):
        return None
    return None if any(number in clone.pulls for number in position.bare) else position


def _position(
    clone: Clone, reading: Reading, tags: Sequence[Tag], settings: str, now: datetime
) -> Position:
    after, found = reading.after, reading.landings
    bare = [n for n, one in found.items() if not reading.is_merge(one) and n not in clone.pulls]
    return Position(
        settings=settings,
        tip=clone.tip,
        tags={tag.name: tag.commit for tag in tags},
        boundary=tuple(sorted(clone.boundary)),
        told=(*(after.told if after else ()), *sorted(found)),
        bare=(*(after.bare if after else ()), *sorted(bare)),
        first_at=after.first_at if after else format_instant(_first_at(clone, reading, now)),
        last_at=format_instant(_last_at(clone, reading, tags, now)),
        newest_at=after.newest_at if after else "",
    )


def _first_at(clone: Clone, reading: Reading, now: datetime) -> datetime:
    """When the history begins; from where on it is whole, if it is cut."""
    commits, order = reading.commits, reading.arrivals.order
    if clone.boundary:
        reading.wait()
    cut = [commits[sha].committed_at for sha in clone.boundary if sha in commits]
    if cut:
        return max(filter(None, cut), default=now)
    return next((at for sha in order if (at := commits[sha].committed_at)), now)


def _last_at(clone: Clone, reading: Reading, tags: Sequence[Tag], now: datetime) -> datetime:
    """Until when everything that happened is known: to the last fetch, or the newest fact."""
    known = [clone.seen_at or now, *(moment(tag.seconds) for tag in tags)]
    if reading.line:
        known.append(reading.commits[reading.line[0]].committed_at)
    if reading.after:
        known.append(parse_instant(reading.after.last_at))
    return min(now, max(filter(None, known)))


def _records(telling: Telling, position: Position, occasion: Occasion) -> Iterator[AnyRecord]:
    """The records; first those that can be saved while git is at the heads of pull requests."""
    with_paths = _wants_paths(occasion, telling.repository)
    yield from telling.repositories()
    yield from telling.deployments
    deployed = telling.commits(telling.deployed, with_paths=with_paths)
    yield from _counted(deployed, 0, len(telling.deployed), occasion)
    yield from telling.changes
    originals = telling.commits(telling.originals, with_paths=with_paths)
    yield from _counted(originals, len(telling.deployed), len(telling.originals), occasion)
    start, end = parse_instant(position.first_at), parse_instant(position.last_at)
    yield from telling.coverage(occasion.source, start, end)


def _counted(
    commits: Iterator[Commit], before: int, count: int, occasion: Occasion
) -> Iterator[Commit]:
    """The commits, with progress: so many more, after those before them."""
    of = before + count
    for done, commit in enumerate(commits, before):
        if not done % _OFTEN:
            occasion.progress(done, of)
        yield commit
    occasion.progress(of, of)


def _warn(telling: Telling, occasion: Occasion) -> None:
    """Says what keeps all figures from being right, until it is mended."""
    clone, path = telling.clone, telling.clone.git.path
    if clone.boundary:
        occasion.warn(
            f"{path} is a shallow clone: its history is cut, so lead times and what a "
            f"deployment shipped are known only in part; mend it with: "
            f"git -C {quote(str(path))} fetch --unshallow"
        )
    if telling.options.deployments == "tags" and not telling.tags:
        occasion.warn(
            f"no deployments in {path}: {_why_none(telling)}; say which tags are with `tags`, or "
            f'set deployments = "commits" if every commit of the default branch is deployed'
        )


def _why_none(telling: Telling) -> str:
    """Why no tag was deployed."""
    names = [tag.name for tag in telling.clone.tags]
    if not names:
        return "it has no tags"
    if not deployed_tags(telling.clone.tags, telling.options.tags):
        fits = "fits `tags`" if telling.options.tags else "is a version"
        return f"none of its {len(names)} tags, such as {names[-1]}, {fits}"
    return f"none of its tags was made since {telling.since:%Y-%m-%d}"


def _warn_of_bare(clone: Clone, position: Position, occasion: Occasion) -> None:
    """Says which originals are missing, when they are met; reports say it ever after."""
    if position.bare:
        command = _mend(clone)
        occasion.warn(
            f"the original commits of {len(position.bare):,} of {len(position.told):,} pull "
            f"requests are not in {clone.git.path}, so their lead time starts at the merge"
            + (f"; mend it with: {command}" if command else "")
        )
