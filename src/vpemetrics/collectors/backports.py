"""The pull requests that another one brings to a release branch, told by title, branch or text.

Pure: texts in, numbers out (rule C4). The forms are those of people and of the programs that open
such pull requests; which of the numbers are merged pull requests others know.
"""

import re
from collections.abc import Iterator
from typing import Final

# Numbers of at most nine digits: longer ones are nobody's, and no database holds them.
_PULL: Final = (
    r"(?:https?://[^\s/]{1,255}/(?P<at>[\w./-]{1,201}?)/pull/|(?P<of>[\w./-]{0,201})[#!] ?)"
)
_REFERENCE: Final = re.compile(rf"{_PULL}(?P<number>\d{{1,9}})\b")
_REFERENCES: Final = (
    r"(?:(?:https?://[^\s/]{1,255}/[\w./-]{1,201}/pull/|[\w./-]{0,201}[#!] ?)\d{1,9}\b"
    r"(?:,? and |, ?| & | )?){1,20}"
)
_NAMED_SO: Final = r"(?:releases?[-/ ]|stable[-/]|maint(?:enance)?[-/]|v)"
_BRANCH: Final = rf"(?:{_NAMED_SO}\d{{1,4}}|\d{{1,4}}\.(?:\d{{1,4}}|x))(?:\.(?:\d{{1,4}}|x)){{0,3}}"
_VERB: Final = r"(?:back-?port|cherry[- ]?pick)(?:s|ed|ing)?"
_WHAT: Final = r"(?: of)?(?: the)?(?: PR| MR| pull request| merge request)?"
# Where a title says what it is, and of which branch at most, the last number beside it counts.
_MARKED: Final = re.compile(
    rf"[(\[]{_VERB}(?:[- ](?:to |for )?{_BRANCH})?[)\]]"
    rf"|^(?:[\w./-]+(?:\([^)]*\))?: )?(?:{_BRANCH} )?{_VERB}(?: - |: | )"
    rf"| - {_VERB}(?:/{_VERB})? (?:to|for) {_BRANCH}",
    re.IGNORECASE,
)
_LAST: Final = re.compile(r".*\((?P<named>[#!]\d{1,9})\)")
_TITLES: Final = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        # Argo CD's and Kubernetes' robots, Mergify, pnpm and people
        rf"(?<![\w-]){_VERB}{_WHAT} (?P<named>{_REFERENCES})",
        rf"(?<![\w-]){_VERB}{_WHAT} (?P<bare>\d{{2,9}}) (?:to|for|into|onto) ",
        rf"^\[(?:backport[- /])?{_BRANCH}\] ?{_VERB}(?: of)? (?P<bare>\d{{2,9}})\b",
        # https://github.com/sorenlouv/backport
        rf"^\[(?:backport[- /])?{_BRANCH}\] .*\((?P<named>[#!]\d{{1,9}})\)$",
    )
)
_UNDONE: Final = re.compile(
    r"\b(?:Revert|Reapply)\b|\b(?:not|n't|after|follow(?:s|ing)?[- ]up|undo)\b"
    r"(?: \w+){0,2} (?:back-?port|cherry[- ]?pick)",
    re.IGNORECASE,
)
_END: Final = r"(?=$|[-_](?:to|onto|into|for|on|upstream|origin|release|stable|v?\d))"
_BRANCHES: Final = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        # https://github.com/kubernetes/kubernetes/blob/master/hack/cherry_pick_pull.sh
        r"(?:automated-)?cherry-pick-of(?P<named>(?:-#\d{1,9}){1,20})(?=-|$)",
        # https://github.com/korthout/backport-action, https://github.com/tibdex/backport
        rf"(?:^|[/_-])(?:back-?port|cherry-?pick)[-_/](?:of[-_])?(?:pr[-_]?)?#?(?P<bare>\d{{1,9}}){_END}",
        # https://docs.mergify.com/workflow/actions/backport/, https://github.com/sorenlouv/backport
        r"^(?:mergify/bp|backport)/.{1,200}/pr-(?P<bare>\d{1,9})$",
    )
)
_LINE: Final = re.compile(
    rf"^(?:[*-] )?(?:This (?:is|PR is|pull request is) )?(?:an? )?(?:automated |manual )?"
    rf"{_VERB}(?: PR)?{_WHAT} (?P<named>{_REFERENCES})"
    rf"(?:\(.{{1,200}}\) )?(?=[.:]?$|\. |(?:to|into|onto|for|from) `?(?:{_BRANCH}|main|master)\b)",
    re.IGNORECASE | re.MULTILINE,
)
_MAY_BE: Final = re.compile(r"back-?port|cherry[- ]?pick|mergify/bp", re.IGNORECASE)


def backported_pulls(
    title: str | None, head_branch: str | None, text: str, repository: str, own: int | None = None
) -> tuple[int, ...]:
    """The numbers of the pull requests of a repository that a pull request says it brings on.

    `text` is what its author says beside the title, `own` its own number.
    """
    if not (title or "").startswith("[") and not may_be_backport(f"{title} {head_branch} {text}"):
        return ()
    found = dict.fromkeys(
        [*_in_title(title or "", repository), *_in_branch(head_branch or "")]
    ) or dict.fromkeys(_in_text(text, repository))
    found.pop(own or 0, None)
    return tuple(found)


def may_be_backport(text: str) -> bool:
    """Tell whether a text has any word of a back-port."""
    return _MAY_BE.search(text) is not None


def _in_title(title: str, repository: str) -> Iterator[int]:
    if _UNDONE.search(title):
        return
    for form in _TITLES:
        if found := form.search(title):
            said = found.groupdict()
            yield from _numbers(said.get("named") or f"#{said.get('bare')}", repository)
            return
    if _MARKED.search(title) and (last := _LAST.match(title)):
        yield from _numbers(last["named"], repository)


def _in_branch(branch: str) -> Iterator[int]:
    for form in _BRANCHES:
        if found := form.search(branch):
            said = found.groupdict()
            yield from map(int, re.findall(r"\d+", said.get("named") or said["bare"]))
            return


def _in_text(text: str, repository: str) -> Iterator[int]:
    if _MAY_BE.search(text):
        for line in _LINE.finditer(text):
            yield from _numbers(line["named"], repository)


def _numbers(references: str, repository: str) -> Iterator[int]:
    """The numbers of what a list names that is of this repository."""
    for found in _REFERENCE.finditer(references):
        if (found["at"] or found["of"] or repository).lower() == repository.lower():
            yield int(found["number"])
