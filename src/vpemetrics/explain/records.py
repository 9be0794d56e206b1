"""The story of one record: who shipped it, of which kind it was, what it broke, and why."""

from vpemetrics import __version__
from vpemetrics.explain.changes import ChangeExplainer
from vpemetrics.explain.deployments import DeploymentExplainer
from vpemetrics.explain.incidents import IncidentExplainer
from vpemetrics.explain.model import KINDS, Explanation
from vpemetrics.explain.stories import RecordContext, RecordStory
from vpemetrics.records import Change, Commit, Deployment, Incident
from vpemetrics.store import loading
from vpemetrics.store.record_lookup import Match, View
from vpemetrics.window import known_instant


def explain_record(view: View, context: RecordContext, match: Match) -> Explanation:
    """The story of a record; lineage must be up to date."""
    story = _story(view, context, match)
    kind = KINDS[match.kind]
    return Explanation(
        version=__version__,
        subject=kind,
        id=match.name,
        title=f"{kind.replace('_', ' ').capitalize()} {match.name}",
        url=story.url,
        zone=context.rules.zone,
        data_as_of=known_instant(context.data_as_of),
        facts=story.facts,
        groups=tuple(group for group in story.groups if group.entries),
    )


def _story(view: View, context: RecordContext, match: Match) -> RecordStory:
    match loading.load_one(view, match.kind, match.id):
        case Commit() as commit:
            return ChangeExplainer(view, context).commit(match.id, commit)
        case Change() as change:
            return ChangeExplainer(view, context).change(match.id, change)
        case Deployment() as deployment:
            return DeploymentExplainer(view, context).deployment(match.id, deployment)
        case Incident() as incident:
            return IncidentExplainer(view, context).incident(match.id, incident)
    return ChangeExplainer(view, context).missing_commit(match.id)
