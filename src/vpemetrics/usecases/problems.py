"""The problems in the data, and what mends them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from vpemetrics.store.derived import Traced

REMEDIES: Final[Mapping[str, str]] = {
    "unknown_commit": "give the deployments a commit_sha; until then they ship no counted changes",
    "commit_not_collected": "import or collect the commits they name",
    "parents_not_collected": "collect the whole history of the repository, of GitHub with "
    "clone = true",
    "stale": "check what is live there",
    "named_not_shipped": "correct the cause that the incidents name",
    "without_paths": "say in the configuration which paths of the repository are whose",
    "not_covered": "collect what is missing, or import files with --covers FROM..TO, so that "
    "quiet weeks count as 0",
    "changes_not_covered": "collect or import commits and pull requests too; until then nothing is "
    "known of lead time, batches and stages",
    "incidents_not_covered": "collect incidents, or import them with --covers FROM..TO; until then "
    "nothing is known of these services' failures and rework",
    "never_deployed": "check their sources and environments in the configuration",
    "starts_at_merge": "give their original commits (commit_shas) or first_commit_at",
}
"""The remedy of each problem, by its reason."""


def known_problems(
    traced: Iterable[Traced], unresolved: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """The problems that lineage met: reasons, in order, with what they concern.

    `unresolved` are incidents that name a cause which no service has shipped.
    """
    found: dict[str, list[str]] = {}
    for lineage in traced:
        for reason, examples in lineage.problems.items():
            found.setdefault(reason, []).extend(examples)
    if unresolved:
        found["named_not_shipped"] = list(unresolved)
    return {reason: tuple(examples) for reason, examples in sorted(found.items())}
