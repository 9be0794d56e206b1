"""What people write in pull requests and issues: which others they name, and root causes."""

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from vpemetrics.collectors.git.subjects import reverted_pulls
from vpemetrics.collectors.github.parse.naming import Naming

_COMMENT: Final = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_NAMED: Final = re.compile(
    r"https?://[^/\s]+/(?P<place>[\w.-]+/[\w.-]+)/(?:issues|pull)/(?P<at>\d+)"
    r"|(?<![\w&/#-])(?P<repository>[\w.-]+/[\w.-]+)?(?:#|(?<!/)\bGH-)(?P<number>\d+)\b"
)
_ROOT_CAUSE: Final = re.compile(
    r"^[\W_]*root[ -]?cause[\s*_]*[:=\N{EN DASH}-][\s*_]*(?P<what>\S.*)$",
    re.IGNORECASE | re.MULTILINE,
)
_SHA: Final = re.compile(r"(?<![\w-])[0-9a-f]{7,64}(?![\w-])")
_SEVERITY: Final = re.compile(r"(?:sev|severity)[\s:/_-]*(\d)", re.IGNORECASE)
_SERVICE: Final = re.compile(r"service\s*[:/=]\s*(?P<name>\S.*)", re.IGNORECASE)


class Cause(NamedTuple):
    """What a text says an incident comes from: a commit, or a pull request by its id."""

    sha: str | None = None
    change: str | None = None


def named_in(text: str, naming: Naming) -> tuple[str, ...]:
    """The ids of issues and pull requests that a text names, in its order."""
    found = _NAMED.finditer(_COMMENT.sub("", text))
    return tuple(dict.fromkeys(_id(one, naming) for one in found))


def reverted_in(body: str, naming: Naming) -> tuple[str, ...]:
    """The ids of pull requests that the body of a revert names, as GitHub's button writes it."""
    text = f"\n{body}"
    numbers = {
        number
        for name in (naming.current, naming.known)
        for number in reverted_pulls(text.replace("\r\n", "\n"), name)
    }
    return tuple(naming.numbered(number) for number in sorted(numbers))


def root_cause(texts: Iterable[str], naming: Naming) -> Cause | None:
    """What a line `root cause: …` names, the last of them that names anything."""
    found = [cause for text in texts for cause in _causes(text, naming)]
    return found[-1] if found else None


def severity(labels: Iterable[str]) -> int | None:
    """The worst severity that labels such as `sev1` or `severity: 2` tell."""
    found = filter(None, map(_SEVERITY.fullmatch, labels))
    return min((int(one[1]) for one in found), default=None)


def services(labels: Iterable[str]) -> tuple[str, ...]:
    """The services that labels such as `service: checkout` name."""
    found = filter(None, map(_SERVICE.fullmatch, labels))
    return tuple(one["name"].strip() for one in found)


def _causes(text: str, naming: Naming) -> Iterator[Cause]:
    for line in _ROOT_CAUSE.finditer(_COMMENT.sub("", text).replace("\r\n", "\n")):
        what = line["what"]
        if named := _NAMED.search(what):
            yield Cause(change=_id(named, naming))
        elif sha := _SHA.search(what):
            yield Cause(sha=sha[0])


def _id(found: re.Match[str], naming: Naming) -> str:
    place = found["place"] or found["repository"] or ""
    return naming.numbered(found["at"] or found["number"], place)
