"""A release board as a source: what release managers note as released are deployments.

The board answers `GET /api/v1/releases` with pages such as

    {"releases": [{"id": "r-17", "application": "shop", "environment": "production",
                   "state": "done", "version": "1.4", "commit": "4f2a…", "page": "https://…",
                   "started_at": "2026-09-01T10:00:00Z", "finished_at": "2026-09-01T10:04:00Z",
                   "updated_at": "2026-09-01T10:04:00Z"}],
     "next": "…"}

in the order of their last update, and `GET /api/v1/applications` with a list of names.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final
from urllib.parse import urlsplit

from vpemetrics.collectors.base import (
    Batch,
    CollectionContext,
    DiscoveryContext,
    Finding,
    Level,
)
from vpemetrics.collectors.discovery import Discovery, Setting, SourceProposal
from vpemetrics.collectors.http import (
    FULL,
    Feed,
    HttpClient,
    NextCursor,
    Node,
    collect_feeds,
    connect,
)
from vpemetrics.records import CoverageKind, Deployment, Status
from vpemetrics.window import format_instant, parse_instant

TOKEN: Final = "env:RELEASE_BOARD_TOKEN"  # noqa: S105 - where it is, not what it is

_EVERYTHING: Final = "*"
_STATES: Final[Mapping[str, Status]] = {
    "running": Status.IN_PROGRESS,
    "done": Status.SUCCEEDED,
    "failed": Status.FAILED,
    "withdrawn": Status.CANCELLED,
    "reverted": Status.ROLLED_BACK,
}


@dataclass(frozen=True, kw_only=True)
class Options:
    """The address of a board, who asks it, and the environments whose releases are collected.

    An answer may be as large as `max_answer`.
    """

    url: str
    token: str = TOKEN
    environments: tuple[str, ...] = ()
    since: date | None = None
    max_answer: str = "64MiB"

    def __post_init__(self) -> None:
        if not urlsplit(self.url).hostname:
            raise ValueError('url is an address, as in "https://board.acme.example"')


def collect(options: Options, context: CollectionContext) -> Iterator[Batch]:
    """The releases that were made or changed since the last collection."""
    with _connect(options, context) as client:
        yield from collect_feeds(
            client,
            [_releases(options)],
            context,
            scope=_EVERYTHING,
            since=context.begin(options.since),
        )


def check(options: Options, context: CollectionContext) -> Iterator[Finding]:
    """The findings about a board: it answers, what is on it, and whether there is anything new."""
    with _connect(options, context) as client:
        names = [str(name) for name in client.get("applications")]
    host = urlsplit(options.url).hostname
    yield Finding(topic="token", text=f"{host} answers")
    if names:
        text = f"{len(names)} on the board: {', '.join(names)}"
        yield Finding(topic="applications", text=text, numbers={"applications": len(names)})
    else:
        yield Finding(
            topic="applications",
            level=Level.WARNING,
            text="there is no application on the board",
            mend="let whoever the token belongs to see some",
        )


def discover(context: DiscoveryContext) -> Iterator[Discovery]:
    """The board that RELEASE_BOARD_URL names, if there is a token for it."""
    url = context.environ.get("RELEASE_BOARD_URL")
    token = context.first_secret(TOKEN)
    if url and token:
        place = token.removeprefix("env:")
        yield SourceProposal(
            name="releases",
            type="release-board",
            lines=(
                Setting(key="url", value=url),
                Setting(key="token", value=token, remark="where it is; it never stands here"),
            ),
            found=f"a token for the release board in {place}",
        )


def parse_release(node: Node, environments: tuple[str, ...] = ()) -> Iterator[Deployment]:
    """The deployment that a release is; none in an environment that is not wanted."""
    if environments and node["environment"] not in environments:
        return
    yield Deployment(
        id=node["id"],
        service=node["application"],
        environment=node["environment"],
        status=_STATES[node["state"]],
        commit_sha=node.get("commit"),
        version=node.get("version"),
        started_at=_moment(node.get("started_at")),
        finished_at=_moment(node.get("finished_at")),
        url=node.get("page"),
    )


def _connect(options: Options, context: CollectionContext) -> HttpClient:
    interface = replace(options, url=f"{options.url.rstrip('/')}/api/v1")
    return connect(interface, context, server="Board", scheme="Bearer")


def _releases(options: Options) -> Feed:
    """The releases in the order of their last update: one that changes comes again."""
    return Feed(
        name="releases",
        kind=CoverageKind.DEPLOYMENTS,
        path="releases",
        parameters=_parameters,
        parse=lambda node: parse_release(node, options.environments),
        paging=NextCursor(path="next"),
        key="releases",
        moment=lambda node: _moment(node["updated_at"]),
        settings=options.environments,
    )


def _parameters(start: datetime, end: datetime) -> Mapping[str, str | int]:
    return {
        "updated_from": format_instant(start),
        "updated_to": format_instant(end),
        "limit": FULL,
    }


def _moment(text: str | None) -> datetime | None:
    return parse_instant(text) if text else None
