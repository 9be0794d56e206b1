"""What a question asks GitHub for, as the person would say it who reads that it went wrong."""

import re
from collections.abc import Mapping
from typing import Any, Final

_OPERATION = re.compile(r"\s*query\s+(\w+)")

ASKED_FOR: Final[Mapping[str, str]] = {
    "Again": "pull requests, deployments and issues that were open",
    "Deployments": "the deployments of a repository",
    "Find": "{repositories}",
    "History": "the commits of a repository",
    "IssueComments": "the comments of an issue",
    "IssueEvents": "the events of an issue",
    "Issues": "the issues of a repository",
    "Labelled": "the incidents of {repositories}",
    "Look": "what is new in the repositories of {owner}",
    "Owned": "the repositories of {owner}",
    "PullCommits": "the commits of a pull request",
    "PullEvents": "the reviews of a pull request",
    "Pulls": "the pull requests of a repository",
    "Releases": "the releases of a repository",
    "Sight": "what {repositories} can tell",
    "Sizes": "how much there is to collect",
    "Statuses": "the statuses of a deployment",
    "Tags": "the tags of a repository",
    "Touching": "the commits that touch {path}",
}
"""What each query is for, by its name in GraphQL, with places for what was asked."""


def asked_for(query: str, variables: Mapping[str, Any]) -> str | None:
    """What a query asks for, as in `the repositories of acme`; None of one without words."""
    found = _OPERATION.match(query)
    words = ASKED_FOR.get(found[1]) if found else None
    return words and words.format_map({**variables, "repositories": _repositories(variables)})


def _repositories(variables: Mapping[str, Any]) -> str:
    """Repositories that are asked for by `$owner0`, `$name0`, `$owner1` and so on, in words."""
    count = sum(bool(re.fullmatch(r"name\d+", name)) for name in variables)
    first = f"{variables.get('owner0')}/{variables.get('name0')}"
    return first if count < 2 else f"{first} and {count - 1} more"
