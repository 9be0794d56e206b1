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


# What a revert names may be short: https://git-scm.com/docs/git-revert (--reference)
_ABBREVIATED: Final = r"[0-9a-f]{7,64}(?![0-9A-Za-z^~]|\.\.)"
_OWN_LINE: Final = r"^(?![ \t]*>)[^`\n]*?"
"""The beginning of a line that is neither a quotation nor code up to there."""
_REVERTS: Final = re.compile(
    rf"{_OWN_LINE}\bThis (?:partially )?reverts (?:the )?commits? "
    rf"(?P<shas>{_ABBREVIATED}(?:(?:,?\s+(?:and|&)\s+|,\s*){_ABBREVIATED})*)",
    re.MULTILINE | re.IGNORECASE,
)
_WHOLE: Final = (40, 64)  # https://git-scm.com/docs/hash-function-transition
_EACH: Final = re.compile(_ABBREVIATED)
_SHA: Final = r"([0-9a-f]{40}(?:[0-9a-f]{24})?)\b"
# https://git-scm.com/docs/git-cherry-pick (-x); the second are the words of backport-assistant,
# https://github.com/hashicorp/backport-assistant
_PICKED: Final = re.compile(
    rf"{_OWN_LINE}(?:\(cherry picked from commit |backport of commit ){_SHA}", re.MULTILINE
)
# GitHub's and Azure DevOps' button; GitLab's and Bitbucket's, which say what they are about.
# https://docs.gitlab.com/user/project/merge_requests/revert_changes/
_PULL: Final = r"[^\s#!]{0,255}[#!]\d{1,9}\b"
_REVERTED_PULLS: Final = re.compile(
    rf"^(?:Reverts|This reverts (?:merge|pull) requests?) "
    rf"(?P<pulls>{_PULL}(?:(?:,?\s+(?:and|&)\s+|,\s*){_PULL})*)",
    re.MULTILINE,
)
_EACH_PULL: Final = re.compile(r"([^\s#!,&]*)[#!](\d{1,9})\b")

# Numbers of at most nine digits: longer ones are nobody's, and no database holds them.
_SQUASH: Final = re.compile(r"(.*\S)\s+\((?:pull request )?([#!])(\d{1,9})\)")
_N: Final = r"(?P<number>\d{1,9})"
_MERGES: Final = tuple(
    re.compile(form)
    for form in (
        # Bitbucket Data Center, until 7 and since:
        # https://confluence.atlassian.com/bitbucketserver/pull-request-merge-strategies-844499235.html
        rf"Merge pull request #{_N} in \S+ from (?P<head>\S+) to (?P<base>\S+)",
        rf"Pull request #{_N}: (?P<title>.+)",
        # https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/incorporating-changes-from-a-pull-request/about-pull-request-merges
        # Some put a word before it: [docs] Merge pull request …
        rf"(?:\[[^\]]{{1,30}}\] )?Merge pull request #{_N} from (?:[^/\s]+/)?(?P<head>\S+)",
        # Azure DevOps: https://learn.microsoft.com/en-us/azure/devops/repos/git/complete-pull-requests
        rf"Merge pull request #?{_N} from (?P<head>\S+) into (?P<base>\S+)",
        rf"Merged PR {_N}: (?P<title>.+)",
        # Gitea and Forgejo: https://docs.gitea.com/usage/pull-request
        rf"Merge pull request '(?P<title>.*)' \([#!]{_N}\) from (?:\S+:)?(?P<head>\S+)"
        r"(?: into (?P<base>\S+))?",
        rf"Merge pull request #{_N}\b.*",
        # https://support.atlassian.com/bitbucket-cloud/docs/merge-a-pull-request/
        rf"Merged in (?P<head>\S+) \(pull request #{_N}\)",
        # bors and homu: https://github.com/rust-lang/homu, https://github.com/bors-ng/bors-ng
        rf"Auto merge of #{_N} - (?:[^\s:]+:)?(?P<head>[^\s,]+), r=.*",
        rf"Auto merge of #{_N}\b.*",
        rf"Merge #{_N}:?",
    )
)
_FIRST_WORDS: Final = ("Merge", "Auto merge", "Pull request #", "[")
_FROM_TO: Final = re.compile(r"^Merge in \S+ from (?P<head>\S+) to (?P<base>\S+)$", re.MULTILINE)
_BORS_TITLE: Final = re.compile(r"\d{1,9}: (?P<title>.+?)(?: r=\S+)? a=\S+")
_NO_TITLES: Final = ("See merge request ", "* commit '", "Reviewed-on: ", "Merge in ")
# Of git, and of Gerrit, whose changes are a commit each:
# https://git-scm.com/docs/git-merge, https://gerrit-review.googlesource.com/Documentation/
_MERGE: Final = re.compile(
    r"""Merged?\ (?:(?:(?:remote-tracking\ |remote\ )?branch(?:es)?|tags?|commits?|pull\ request
    |changes?|https?://\S+|in\ changes)(?:\s|\Z)|['"])""",
    re.VERBOSE,
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
    if message.startswith(_FIRST_WORDS):
        found = _merge(message) or _gitlab(message)
        if found:
            return found
    subject = _subject(message)
    squash = _SQUASH.fullmatch(subject) if subject.endswith(")") else None
    if squash is None or squash[2] != mark:
        return None
    return Merged(int(squash[3]), squash[1], only_marked=True)


def reverts(message: str) -> tuple[str, ...]:
    """The shas of the commits that this one reverts; they may be shortened."""
    if "everts " not in message:
        return ()
    lists = (found["shas"].lower() for found in _REVERTS.finditer(message))
    return tuple(dict.fromkeys(sha for shas in lists for sha in _EACH.findall(shas)))


def is_whole(sha: str) -> bool:
    """Tell whether a sha has all of its digits."""
    return len(sha) in _WHOLE


def wholly_reverted(message: str) -> tuple[str, ...]:
    """The commits that this one reverts, of those whose whole shas it names."""
    return tuple(filter(is_whole, reverts(message)))


def picked_from(message: str) -> str | None:
    """The sha of the commit this one was picked from; of a chain of picks the first."""
    if "cherry picked from " not in message and "backport of commit " not in message:
        return None
    found = _PICKED.search(message)
    return found[1] if found else None


def reverted_pulls(message: str, repository: str) -> tuple[int, ...]:
    """The pull requests of this repository that a squash of a revert says it reverts."""
    if "everts " not in message:
        return ()
    body = message.partition("\n")[2]  # the subject is a title, and lists its own number
    return tuple(
        int(number)
        for found in _REVERTED_PULLS.finditer(body)
        for where, number in _EACH_PULL.findall(found["pulls"])
        if where in ("", repository)
    )


def title_of(message: str) -> str:
    """The title of the pull request that a commit merged, if it tells one, else its subject."""
    said = parse_merge(message)
    return (said and said.title) or _subject(message)


def body_of(message: str) -> str:
    """The text below the subject."""
    return message.lstrip("\n").partition("\n\n")[2]


def _subject(message: str) -> str:
    """The first paragraph as one line, as git does it."""
    first = message.lstrip("\n").partition("\n\n")[0]
    return " ".join(first.split("\n")).rstrip() if "\n" in first else first.rstrip()


def _merge(message: str) -> Merged | None:
    subject = _subject(message)
    for form in _MERGES:
        if found := form.fullmatch(subject):
            said = found.groupdict()
            if branches := _FROM_TO.search(message):
                said |= branches.groupdict()
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
    if bors := _BORS_TITLE.fullmatch(first):
        return bors["title"]
    return first if first and not first.startswith(_NO_TITLES) else None
