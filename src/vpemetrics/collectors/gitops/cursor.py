"""The position in a configuration repository that one collection leaves for the next."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from vpemetrics.collectors.gitops.bumps import Bump


@dataclass(frozen=True, kw_only=True)
class GitopsCursor:
    """The commits that were read, and what was told of them.

    `settings` stand for all that decides what is told; another means reading all again.
    `wanted` are the bumps that the next ones may supersede, of each service and environment.
    `unresolved` are versions by service that were neither tag nor commit, `cloneless` the
    services without a clone. `unreadable` tells by path why files cannot be read as they stand
    last. `first_at` and `last_at` say what is covered, in ISO-8601.
    """

    settings: str
    tip: str
    boundary: tuple[str, ...]
    wanted: tuple[Bump, ...]
    unresolved: Mapping[str, tuple[str, ...]]
    cloneless: tuple[str, ...]
    first_at: str
    last_at: str
    unreadable: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """One line, as a cursor holds it."""
        return json.dumps(asdict(self), separators=(",", ":"), sort_keys=True)


def parse_cursor(text: str | None) -> GitopsCursor | None:
    """The position a cursor holds; None if there is none, or an older version wrote it."""
    try:
        said = json.loads(text or "null")
        said |= {name: tuple(said[name]) for name in ("boundary", "cloneless")}
        said["wanted"] = tuple(Bump(*bump) for bump in said["wanted"])
        said["unresolved"] = {name: tuple(own) for name, own in said["unresolved"].items()}
        return GitopsCursor(**said)
    except (TypeError, KeyError, ValueError, AttributeError):
        return None
