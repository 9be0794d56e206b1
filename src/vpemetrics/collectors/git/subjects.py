"""The meaning of a commit's message: a pull request it merged, a revert, a cherry-pick.

Pure: texts in, values out. The forms are those GitHub, GitLab, Bitbucket, Azure DevOps and
merge bots write by themselves.
"""

import re
from typing import Final, NamedTuple


class Merged(NamedTuple):
    """A pull request as the commit that merged it names it.

    Where `only_marked`, a number at the end of the subject is all there is: an issue's perhaps.
    """

    number: int
    title: str | None
    head_branch: str | None = None
    base_branch: str | None = None
    only_marked: bool = False


_SHA: Final = r"([0-9a-f]{40}(?:[0-9a-f]{24})?)\b"
# https://git-scm.com/docs/git-revert and https://git-scm.com/docs/git-cherry-pick (-x)
_REVERTS: Final = re.compile(rf"This reverts commit {_SHA}")
_PICKED: Final = re.compile(rf"\(cherry picked from commit {_SHA}")
_REVERTED_PULL: Final = re.compile(r"^Reverts (\S*)[#!](\d{1,9})\b", re.MULTILINE)

# Numbers of at most nine digits: longer ones are nobody's, and no database holds them.
_SQUASH: Final = re.compile(r"(.*\S)\s+\((?:pull request )?([#!])(\d{1,9})\)")
_MERGES: Final = tuple(
    re.compile(form)
    for form in (
        r"Merge pull request #(?P<number>\d{1,9}) in \S+ from (?P<head>\S+) to (?P<base>\S+)",
        r"Merge pull request #(?P<number>\d{1,9}) from (?:[^/\s]+/)?(?P<head>\S+)",
        r"Merge pull request #(?P<number>\d{1,9})\b.*",
        r"Merged in (?P<head>\S+) \(pull request #(?P<number>\d{1,9})\)",
        r"Merged PR (?P<number>\d{1,9}): (?P<title>.+)",
        r"Auto merge of #(?P<number>\d{1,9})\b.*",
    )
)
_MERGE: Final = re.compile(
    r"Merge (?:(?:remote-tracking )?branch(?:es)?|tags?|commits?|pull request|https?://\S+) "
)
_GITLAB: Final = re.compile(r"^See merge request \S*!(\d{1,9})\s*$", re.MULTILINE)
_GITLAB_SUBJECT: Final = re.compile(r"Merge branch '(?P<head>[^']+)'(?: into '(?P<base>[^']+)')?")


def is_merge(message: str) -> bool:
    """Tell whether a commit says of itself that it merges others, in the words of git or GitHub."""
    return _MERGE.match(message) is not None


def parse_merge(message: str, mark: str = "#") -> Merged | None:
    """The pull request whose merge or squash the message announces.

    `mark` stands before its number at the end of a squash: GitLab's is `!`, and `#` an issue's.
    """
    if message.startswith(("Merge", "Auto merge")):
        found = _merge(message) or _gitlab(message)
        if found:
            return found
    subject = _subject(message)
    squash = _SQUASH.fullmatch(subject) if subject.endswith(")") else None
    if squash is None or squash[2] != mark:
        return None
    return Merged(int(squash[3]), squash[1], only_marked=True)


def reverts(message: str) -> str | None:
    """The sha of the commit that this one reverts."""
    found = _REVERTS.search(message) if "This reverts commit " in message else None
    return found[1] if found else None


def picked_from(message: str) -> str | None:
    """The sha of the commit this one was picked from; of a chain of picks the first."""
    found = _PICKED.search(message) if "(cherry picked from " in message else None
    return found[1] if found else None


def reverted_pulls(message: str, repository: str) -> tuple[int, ...]:
    """The pull requests of this repository that a squash of a revert says it reverts."""
    if "\nReverts " not in message:
        return ()
    return tuple(
        int(number)
        for where, number in _REVERTED_PULL.findall(message)
        if where in ("", repository)
    )


def _subject(message: str) -> str:
    """The first paragraph as one line, as git does it."""
    first = message.lstrip("\n").partition("\n\n")[0]
    return " ".join(first.split("\n")).rstrip() if "\n" in first else first.rstrip()


def _merge(message: str) -> Merged | None:
    subject = _subject(message)
    for form in _MERGES:
        if found := form.fullmatch(subject):
            said = found.groupdict()
            title = said.get("title") or _title(message)
            return Merged(int(said["number"]), title, said.get("head"), said.get("base"))
    return None


def _gitlab(message: str) -> Merged | None:
    if not (found := _GITLAB.search(message)):
        return None
    branches = _GITLAB_SUBJECT.match(message)
    head, base = branches.group("head", "base") if branches else (None, None)
    return Merged(int(found[1]), _title(message), head, base)


def _title(message: str) -> str | None:
    """The first line below the subject, where services put a pull request's title."""
    body = message.partition("\n\n")[2].strip()
    first = body.partition("\n")[0].strip()
    return first if first and not first.startswith("See merge request ") else None
