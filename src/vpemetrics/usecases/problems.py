"""The problems in the data, and what mends them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from vpemetrics.lineage.services import Services
from vpemetrics.names import near_names
from vpemetrics.records import Deployment, Incident
from vpemetrics.store import metric_queries, record_lookup
from vpemetrics.store.derived import Traced
from vpemetrics.store.record_lookup import View

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
    "other_author_lists": "import them again: the lists of bots and agents have changed since",
    "backports_not_understood": "import them with their originals as backports, if they have any; "
    "the words that are understood stand in docs/metrics.md (rule C4)",
    "merges_not_understood": "collect the pull requests from their forge, or import them; the "
    "subjects that are understood stand in docs/collectors.md",
    "near_names": "if they are one service, say so in the configuration",
    "no_time": "correct them where they come from (a tag's date, a run's times) and collect again",
    "no_finish": "nothing, if the start is near enough; else tell the source when they ended",
    "no_place": "name the service or the repository where they come from, and collect again",
    "no_beginning": "tell their source when they began, and collect again",
    "ends_before_start": "correct their times where they come from, and collect again; until then "
    "they count in no time of restoration and no hours of customers",
}
"""The remedy of each problem, by its reason."""

_IN_FILES: Final[Mapping[str, str]] = {
    "no_time": "give them a finished_at, or at least a started_at, and import them again",
    "no_finish": "give them a finished_at and import them again",
    "no_place": "give them a service or a repository and import them again",
    "no_beginning": "give them a detected_at or impact_started_at and import them again",
    "ends_before_start": "correct their times and import them again; until then they count in no "
    "time of restoration and no hours of customers",
}
"""The remedy where all the records are from files."""

_KINDS: Final = {"no_beginning": Incident.KIND, "ends_before_start": Incident.KIND}
_ASKED_ABOUT: Final = 100


def remedy_of(view: View, reason: str, examples: Sequence[str]) -> str | None:
    """The remedy of a problem that fits where its records came from."""
    if reason in _IN_FILES:
        kind = _KINDS.get(reason, Deployment.KIND)
        if record_lookup.are_imported(view, kind, examples[:_ASKED_ABOUT]):
            return _IN_FILES[reason]
    return REMEDIES.get(reason)


def lost_records(view: View, services: Services, among: Collection[str]) -> dict[str, list[str]]:
    """Records that no figure counts and lineage does not meet, by reason.

    Incidents are those of some services, and those that name none of ours.
    """
    found: dict[str, list[str]] = {"no_place": record_lookup.deployments_of_nothing(view)}
    for odd in metric_queries.odd_incidents(view):
        named = {services.name(name, None) for name in odd.services}
        if not named or named & {*among}:
            found.setdefault(odd.reason, []).append(odd.key)
    return {reason: examples for reason, examples in found.items() if examples}


def near_services(
    known: Collection[str], strangers: Iterable[str], among: Collection[str]
) -> list[tuple[str, ...]]:
    """Services, of which one at least is `among` some, that nearly have one name.

    `strangers` are names of services that no deployment has, but an incident.
    """
    return [group for group in near_names([*known, *strangers]) if not {*among}.isdisjoint(group)]


def lines_that_join(
    names: Sequence[str], declared: Collection[str], deployed: Collection[str]
) -> str:
    """The lines of configuration that make one service of several names."""
    first = next(name for kind in (declared, deployed, names) for name in names if name in kind)
    others = ", ".join(f'"{name}"' for name in names if name != first)
    if first in declared:
        return f'if they are one, add to the [[service]] named "{first}": sources = [{others}]'
    return f'if they are one, configure: [[service]], name = "{first}", sources = [{others}]'


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
