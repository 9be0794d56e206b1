"""The one record that a name means, or names that resemble it."""

import re
from collections.abc import Callable, Iterator
from typing import Final

from vpemetrics.errors import NotFound
from vpemetrics.explain.model import KINDS
from vpemetrics.metrics.registry import ALIASES, METRICS
from vpemetrics.names import first_few, nearest_few
from vpemetrics.store import record_lookup, shas
from vpemetrics.store.record_lookup import Match, View
from vpemetrics.version_tags import is_pre_release

PRE_RELEASE: Final = (
    "as a tag it is a pre-release, which is no deployment unless `tags` in the settings of its "
    "source chooses it"
)
_ADDRESS: Final = re.compile(
    r"https?://[^/]+/(?P<repository>\S+?)(?:/-)?/"
    r"(?:pull|pulls|pull-requests|merge_requests)/(?P<number>\d+)\S*"
)


def no_commit(_name: str) -> str | None:
    """The sha of a commit, where nobody knows commits by other names: None."""
    return None


def match_name(
    view: View, name: str, commit_named: Callable[[str], str | None] = no_commit
) -> Match:
    """The one record a name means. NotFound lists candidates if there are several."""
    name = _of_address(name)
    found = next(filter(None, (_find(view, spelling) for spelling in _spellings(name))), [])
    sha = None if found else commit_named(name)
    if sha:
        found = _find(view, sha)
    if len(found) == 1:
        return found[0]
    if found:
        raise NotFound(_ambiguity(name, found))
    if sha:
        raise NotFound(f"{name} is commit {sha[:12]}, which was not collected{_aside(name)}")
    raise NotFound(_no_match(view, name))


def _of_address(name: str) -> str:
    """The pull request of an address, as `owner/repository#123`; any other name as it is."""
    found = _ADDRESS.fullmatch(name)
    return f"{found['repository']}#{found['number']}" if found else name


def _spellings(name: str) -> Iterator[str]:
    """A name, and how else it may have been meant: a version with or without v, a number with #."""
    yield name
    yield name[1:] if name.startswith("v") else f"v{name}"
    if name.isdecimal():
        yield f"#{name}"


def _find(view: View, name: str) -> list[Match]:
    found = record_lookup.find(view, name)
    qualifier, colon, rest = name.partition(":")
    if found or not colon:
        return found
    return [
        match
        for match in record_lookup.find(view, rest)
        if qualifier in (KINDS[match.kind], match.source)
    ]


def _ambiguity(name: str, found: list[Match]) -> str:
    names = sorted(_qualify(match, found) for match in found)
    shown = first_few(names, 10, between="\n", rest="\n… and {} more")
    return f"{name!r} may mean several records; say which:\n{shown}"


def _qualify(match: Match, among: list[Match]) -> str:
    """A name by which a record is meant alone."""
    same = [other for other in among if other.name == match.name]
    if len(same) == 1:
        return match.name
    if len({other.kind for other in same}) == len(same):
        return f"{KINDS[match.kind]}:{match.name}"
    return f"{match.source}:{match.name}"


def _aside(name: str) -> str:
    return f"; {PRE_RELEASE}" if is_pre_release(name) else ""


def _no_match(view: View, name: str) -> str:
    said = f"nothing is known under {name!r}{_aside(name)}"
    near = nearest_few(name, [*METRICS, *ALIASES], likeness=0.7)
    near += nearest_few(name, record_lookup.find_similar(view, name))
    if near:
        return f"{said}; did you mean {', '.join(near)}?"
    if shas.is_beginning(name.ljust(shas.SHORTEST, "0")) and len(name) < shas.SHORTEST:
        return f"{said}; a sha wants at least {shas.SHORTEST} characters"
    return "\n".join(
        [
            said,
            "A record goes by its sha, as #123 or owner/repository#123, or by the id of the "
            "deployment, pull request or incident; of a release that is its tag",
            f"Metrics are {', '.join(METRICS)}",
        ]
    )
