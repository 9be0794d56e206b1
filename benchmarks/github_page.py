"""The processor time that a page of the tests' GitHub server takes to answer.

    PYTHONPATH=tests python benchmarks/github_page.py

The page is the collector's own: 50 pull requests, each with four commits and six lines in its
timeline, answered in one process and without HTTP. It is told as a multiple of the time in which
`json.dumps` writes the answer, which varies less between machines than milliseconds do.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import process_time
from typing import Any, Final

from github_server.execution import execute, read_query
from github_server.points import price
from github_server.world import Repo, World

from vpemetrics.collectors.github.queries import PULLS

PULL_REQUESTS: Final = 50
COMMITS: Final = 4
ROUNDS: Final = 30
MONDAY: Final = datetime(2026, 9, 7, tzinfo=UTC)


def main() -> None:
    """Print how long a page takes, at best."""
    repo = busy_repository()
    variables = {"id": repo.id, "first": PULL_REQUESTS, "after": None}

    def answer() -> dict[str, Any]:
        query = read_query(PULLS.text, variables)
        price(query)
        return execute(query, repo.world)

    body = answer()
    assert len(body["data"]["node"]["pullRequests"]["nodes"]) == PULL_REQUESTS
    page, dump = fastest(answer), fastest(lambda: json.dumps(body))
    print(f"{page * 1000:.1f} ms a page, {page / dump:.1f} times json.dumps of it")


def busy_repository() -> Repo:
    """Make a repository with merged pull requests."""
    repo = World().repository("acme/shop")
    ada, bob = map(repo.world.account, ("ada", "bob"))
    repo.commit("Begin", author=ada, at=MONDAY - timedelta(days=1))
    for number in range(1, PULL_REQUESTS + 1):
        at, branch = MONDAY + timedelta(hours=number), f"work-{number}"
        commits = [
            repo.commit(f"Step {step}", author=ada, at=at, branch=branch).oid
            for step in range(COMMITS)
        ]
        pull = repo.open_pull(
            f"Number {number}", author=ada, commits=commits, at=at, head=branch, draft=True
        )
        for label in ("bug", "urgent"):
            repo.label(pull, label, at=at)
        repo.ready(pull, at=at)
        for state in ("COMMENTED", "CHANGES_REQUESTED", "APPROVED"):
            repo.review(pull, state, by=bob, at=at)
        repo.merge(pull, at=at)
    return repo


def fastest(action: Callable[[], Any]) -> float:
    """Return the least processor time of several rounds, in seconds."""
    seconds = []
    for _ in range(ROUNDS):
        begun = process_time()
        action()
        seconds.append(process_time() - begun)
    return min(seconds)


if __name__ == "__main__":
    main()
