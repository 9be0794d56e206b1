"""Records of one repository from what GitHub answered about it, once all of that is there."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from vpemetrics.collectors.backports import backported_pulls, may_be_backport
from vpemetrics.collectors.git.commits import GitAuthors
from vpemetrics.collectors.git.subjects import (
    is_merge,
    picked_from,
    reverted_pulls,
    wholly_reverted,
)
from vpemetrics.collectors.github.cursor import OpenItem, SeenCommits
from vpemetrics.collectors.github.deployment_builder import (
    build_deployment,
    build_merge_deployment,
    build_release_deployment,
    build_tag_deployment,
    parse_tag,
)
from vpemetrics.collectors.github.repository import (
    OID,
    Author,
    Naming,
    RepositoryTarget,
    nodes,
    sha_of,
)
from vpemetrics.collectors.http import (
    Node,
    check_record,
    count,
    given,
    moment,
    need,
    part,
)
from vpemetrics.collectors.own_words import is_denied, own_words
from vpemetrics.records import AnyRecord, AuthorKind, Change, Commit, Deployment, Incident, Status

_MAY_END: Final = timedelta(days=90)
_MAY_RECOVER: Final = timedelta(days=7)
"""For how long a deployment that goes on, or failed, is fetched again."""
_TRIES: Final = 5

# https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting/autolinked-references-and-urls
# Names have a length, as GitHub's do, so that no text takes long; numbers of more than nine digits
# are nobody's, and would make of what they stand in no record at all.
_PLACE: Final = r"[\w.-]{1,100}/[\w.-]{1,100}"
_CO_AUTHOR: Final = re.compile(
    r"^co-authored-by:[^\n<]*<(?:\d+\+)?([\w-]+)@users\.noreply\.github\.com>",
    re.IGNORECASE | re.MULTILINE,
)
_NAMED: Final = re.compile(
    rf"https?://[^/\s]{{1,255}}/(?P<place>{_PLACE})/(?:issues|pull)/(?P<at>\d{{1,9}})(?!\d)"
    rf"|(?<![\w&/#-])(?P<repository>{_PLACE})?(?:#|(?<!/)\bGH-)(?P<number>\d{{1,9}})\b"
)
# A revert says what it takes back; its title says in quotation marks what that was called.
_REVERTING: Final = re.compile(
    r"Revert(?:s|ed|ing)?[ :]{1,2}(?:[\w./-]{0,201}#\d{1,9}(?:,| and| &){0,2} )*", re.IGNORECASE
)
_CALLED: Final = re.compile(r'\A(?:Revert|Reapply) ".*"')
_MAY_BE_CAUSE: Final = re.compile("root[ -]?cause", re.IGNORECASE)
_MOST_REVERTED: Final = 1_000
_ROOT_CAUSE: Final = re.compile(
    r"^(?:[^\w\n]|_)*+root[ -]?cause[\s*_]*[:=\N{EN DASH}-][\s*_]*(?P<what>\S.*)$",
    re.IGNORECASE | re.MULTILINE,
)
_SHA: Final = re.compile(r"(?<![\w-])[0-9a-f]{7,64}(?![\w-])")
_SEVERITY: Final = re.compile(r"(?:sev|severity)[\s:/_-]*(\d)", re.IGNORECASE)
_SERVICE: Final = re.compile(r"service\s*[:/=]\s*(?P<name>\S.*)", re.IGNORECASE)


class BuiltRecords(NamedTuple):
    """The records of one thing, and what of it is still open; None if nothing is.

    `lost` counts the commits of a pull request that GitHub does not give.
    """

    records: Sequence[AnyRecord]
    open: OpenItem | None = None
    lost: int = 0


@dataclass(frozen=True, kw_only=True)
class GitHubRecordBuilder:
    """The records of a repository's pull requests, deployments and issues.

    Originals of pull requests become records only where they are not among the `seen` commits,
    which are records with their parents, and not at all where a mirror `has_originals`.
    """

    target: RepositoryTarget
    seen: SeenCommits
    has_originals: bool = False

    def build(self, node: Node, kind: str) -> BuiltRecords:
        """The records of a thing of a kind as GitHub names it; Malformed if it cannot be one."""
        built = self._build(node, kind)
        for record in built.records:
            check_record(record)
        return built

    def _build(self, node: Node, kind: str) -> BuiltRecords:
        match kind:
            case "PullRequest":
                return self._of_pull(node)
            case "Deployment":
                return self._of_deployment(node)
            case "Issue":
                return self._of_issue(node)
            case "Release":
                return BuiltRecords(self._of_release(node))
        return BuiltRecords(self._of_tag(node))

    def _of_pull(self, node: Node) -> BuiltRecords:
        """A pull request; the commits of a merged one; and the deployment its merge may be."""
        change, originals, lost = build_change(node, self.target.naming)
        records: list[AnyRecord] = [change]
        if change.merged_at and not self.target.paths and not self.has_originals:
            fresh = (original for original in originals if sha_of(original) not in self.seen)
            records += (self.commit(original) for original in fresh)
        branch = self.target.probe.branch
        for rule in self.target.rules_from("merges"):
            if deployment := build_merge_deployment(change, branch, rule):
                records.append(deployment)
        return BuiltRecords(records, lost=lost)

    def _of_deployment(self, node: Node) -> BuiltRecords:
        """A deployment under the first rule that wants it."""
        for rule in self.target.rules_from("environments"):
            if deployment := build_deployment(node, rule, self.target.naming):
                return BuiltRecords([deployment], self._open_item(node, deployment))
        return BuiltRecords([])

    def _of_issue(self, node: Node) -> BuiltRecords:
        naming, incidents = self.target.naming, self.target.options.incidents
        labels = () if incidents.types else incidents.labels
        service = () if self.target.has_incidents_of_all else (naming.known,)
        incident = build_incident(node, labels, naming, service)
        still = OpenItem(
            kind="Issue",
            created_at=incident.detected_at or self.target.now,
            updated_at=incident.updated_at,
        )
        return BuiltRecords([incident], None if incident.resolved_at else still)

    def _of_release(self, node: Node) -> Sequence[AnyRecord]:
        """The deployment a release was, under the first rule that wants it."""
        rules, naming = self.target.rules_from("releases"), self.target.naming
        built = (build_release_deployment(node, rule, naming) for rule in rules)
        return [deployment for deployment in built if deployment][:1]

    def _of_tag(self, node: Node) -> Sequence[AnyRecord]:
        """The deployment a tag was, under the first rule that wants it."""
        tag, rules = parse_tag(node), self.target.rules_from("tags")
        if tag is None:
            return []
        built = (build_tag_deployment(tag, rule, self.target.naming) for rule in rules)
        return [deployment for deployment in built if deployment][:1]

    def commit(self, node: Node, paths: tuple[str, ...] | None = None) -> Commit:
        """The record of a commit, with the paths it touches where these are known."""
        return build_commit(node, self.target.naming.known, self.target.naming.authors, paths)

    def retry(self, node: Node, before: OpenItem) -> OpenItem | None:
        """An item of which GitHub left something out, to be fetched some more times."""
        tries = before.tries + 1
        created_at = moment(node, "createdAt") or before.created_at
        if tries >= _TRIES:
            return None
        return OpenItem(kind=before.kind, created_at=created_at, tries=tries)

    def deployed_tips(self, records: Sequence[AnyRecord]) -> Iterator[str]:
        """The commits of production deployments, whose history is wanted."""
        for record in records:
            if not isinstance(record, Deployment) or record.status is not Status.SUCCEEDED:
                continue
            if OID.fullmatch(record.commit_sha or "") and self.target.is_production(
                record.environment
            ):
                yield str(record.commit_sha)

    def _open_item(self, node: Node, deployment: Deployment) -> OpenItem | None:
        if deployment.status is Status.SUCCEEDED:
            return None
        created_at = moment(node, "createdAt") or self.target.now
        may_go_on = _MAY_END if deployment.status is Status.IN_PROGRESS else _MAY_RECOVER
        if created_at < self.target.now - may_go_on:
            return None
        updated_at = moment(node, "updatedAt")
        return OpenItem(kind="Deployment", created_at=created_at, updated_at=updated_at)


def build_commit(
    node: Node, repository: str, authors: GitAuthors, paths: tuple[str, ...] | None = None
) -> Commit:
    """The record of a commit; without parents where GitHub was not asked for them."""
    author = part(node, "author")
    email, name = given(author, "email", str) or "", given(author, "name", str) or ""
    message = given(node, "message", str) or ""
    return Commit(
        sha=sha_of(node),
        repository=repository,
        parents=parents(node),
        authored_at=moment(node, "authoredDate"),
        committed_at=moment(node, "committedDate"),
        author=email or name or None,
        author_kind=authors[email, name],
        marks=authors.marks_of(message),
        reverts_sha=wholly_reverted(message),
        picked_from_sha=picked_from(message),
        paths=paths,
    )


def parents(node: Node) -> tuple[str, ...]:
    """The parents of a commit, in git's order."""
    return tuple(sha_of(parent) for parent in nodes(node, "parents"))


class BuiltChange(NamedTuple):
    """A pull request, and its commits as GitHub gives them.

    `lost` counts commits that it has and GitHub does not give: beyond 250 it gives no more.
    """

    # https://docs.github.com/en/rest/pulls/pulls#list-commits-on-a-pull-request
    change: Change
    originals: Sequence[Node]
    lost: int


def build_change(node: Node, naming: Naming) -> BuiltChange:
    """The record of a pull request with all of its commits and events."""
    commits = [part(item, "commit") for item in nodes(node, "commits") if item.get("commit")]
    # Merges are no changes; as no parents tell them, they go by their words.
    originals = [commit for commit in commits if not is_merge(given(commit, "message", str) or "")]
    events = nodes(node, "timelineItems")
    author = naming.author(part(node, "author"))
    askers = _askers(commits) if author.kind is AuthorKind.AGENT else set[str]()
    reviews = _reviews(events, author, naming, askers)
    title, body = given(node, "title", str) or "", given(node, "body", str) or ""
    number = need(node, "number", int)
    id_ = naming.id_of(number)
    change = Change(
        id=id_,
        repository=naming.known,
        number=number,
        url=node.get("url"),
        title=title or None,
        author=author.login,
        author_kind=author.kind,
        marks=naming.authors.marks_of(own_words(body)),
        created_at=moment(node, "createdAt"),
        ready_at=_ready_at(node, events),
        first_commit_at=_first_at(originals),
        first_review_at=min((at for at, _ in reviews), default=None),
        approved_at=min((at for at, state in reviews if state == "APPROVED"), default=None),
        merged_at=moment(node, "mergedAt"),
        closed_at=moment(node, "closedAt"),
        merge_commit_sha=sha_of(merge) if (merge := part(node, "mergeCommit")) else None,
        commit_shas=tuple(sha_of(commit) for commit in originals),
        base_branch=node.get("baseRefName"),
        head_branch=node.get("headRefName"),
        additions=node.get("additions"),
        deletions=node.get("deletions"),
        labels=_labels(events),
        reverts=reverted_in(body, naming),
        backports=_backports(node, title, body, naming),
        closes=_closes((title, body), events, id_, naming),
    )
    total = count(part(node, "commits"), "totalCount")
    return BuiltChange(change, originals, lost=max(0, total - len(commits)))


def build_incident(
    node: Node, labels: Sequence[str], naming: Naming, service: tuple[str, ...] = ()
) -> Incident:
    """The record of an issue that is or was an incident; `labels` tell which issues are.

    `service` is what it is about where no label names one. Without labels its type tells.
    It ends when it is closed, or when nothing marks it as an incident any more.
    """
    own = [(given(label, "name", str) or "") for label in nodes(node, "labels")]
    comments = [given(comment, "body", str) or "" for comment in nodes(node, "comments")]
    cause = root_cause([given(node, "body", str) or "", *comments], naming)
    return Incident(
        id=naming.id_of(need(node, "number", int)),
        service=services(own) or service,
        title=node.get("title"),
        severity=severity(own),
        detected_at=moment(node, "createdAt"),
        resolved_at=_resolved_at(node, own, labels),
        updated_at=moment(node, "updatedAt"),
        cause_sha=cause.sha if cause else None,
        cause_change=cause.change if cause else None,
        url=node.get("url"),
    )


def mentions(text: str, naming: Naming) -> tuple[str, ...]:
    """The ids of issues and pull requests that a text names in its author's own words, in order.

    Not those it says it does not mend, nor those it reverts.
    """
    if not _NAMED.search(text):
        return ()
    words = own_words(_CALLED.sub("", text))
    return tuple(dict.fromkeys(_id(match, naming) for match in _own_mentions(words)))


def _own_mentions(words: str) -> Iterator[re.Match[str]]:
    for match in _NAMED.finditer(words):
        at = match.start()
        line = words[max(words.rfind("\n", 0, at) + 1, at - _MOST_REVERTED) : at]
        if not _REVERTING.fullmatch(line) and not is_denied(words, at):
            yield match


def reverted_in(body: str, naming: Naming) -> tuple[str, ...]:
    """The ids of pull requests that the body of a revert names, as GitHub's button writes it."""
    # https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/incorporating-changes-from-a-pull-request/reverting-a-pull-request
    if "Reverts " not in body:
        return ()
    text = f"\n{own_words(body)}"
    numbers = {
        number for name in (naming.current, naming.known) for number in reverted_pulls(text, name)
    }
    return tuple(naming.id_of(number) for number in sorted(numbers))


def _backports(node: Node, title: str, body: str, naming: Naming) -> tuple[str, ...]:
    """The ids of the pull requests that it brings to another branch."""
    branch = given(node, "headRefName", str)
    words = own_words(body) if may_be_backport(body) else ""
    numbers = backported_pulls(title, branch, words, naming.current, need(node, "number", int))
    return tuple(map(naming.id_of, numbers))


class Cause(NamedTuple):
    """The cause of an incident as a text has it: a commit, or a pull request by its id."""

    sha: str | None = None
    change: str | None = None


def root_cause(texts: Iterable[str], naming: Naming) -> Cause | None:
    """The cause that a line `root cause: …` names, the last of them that names anything."""
    causes = [cause for text in texts for cause in _causes(text, naming)]
    return causes[-1] if causes else None


def severity(labels: Iterable[str]) -> int | None:
    """The worst severity that labels such as `sev1` or `severity: 2` tell."""
    found = filter(None, map(_SEVERITY.fullmatch, labels))
    return min((int(match[1]) for match in found), default=None)


def services(labels: Iterable[str]) -> tuple[str, ...]:
    """The services that labels such as `service: checkout` name."""
    found = filter(None, map(_SERVICE.fullmatch, labels))
    return tuple(match["name"].strip() for match in found)


def _first_at(originals: Iterable[Node]) -> datetime | None:
    dates = (moment(commit, "authoredDate") for commit in originals)
    return min(filter(None, dates), default=None)


def _askers(commits: Iterable[Node]) -> set[str]:
    """The logins of people whom an agent's commits name, who asked for them, in small letters."""
    # https://docs.github.com/en/copilot/concepts/agents/coding-agent/about-coding-agent
    messages = (given(commit, "message", str) or "" for commit in commits)
    return {login.lower() for message in messages for login in _CO_AUTHOR.findall(message)}


def _reviews(
    events: Iterable[Node], author: Author, naming: Naming, askers: Collection[str]
) -> list[tuple[datetime, str]]:
    """The moments when people other than the author reviewed, with the results.

    Who asked an agent for it is none of these.
    """
    reviews = []
    # https://docs.github.com/en/graphql/reference/enums#pullrequestreviewstate
    for event in events:
        if event.get("__typename") != "PullRequestReview" or event.get("state") == "PENDING":
            continue
        reviewer, at = naming.author(part(event, "author")), moment(event, "submittedAt")
        login = (reviewer.login or "").lower()
        if at and not reviewer.is_bot and (not login or reviewer != author) and login not in askers:
            reviews.append((at, (given(event, "state", str) or "")))
    return reviews


def _ready_at(node: Node, events: Sequence[Node]) -> datetime | None:
    """The moment when it last became ready for review; None while it is a draft."""
    if node.get("isDraft"):
        return None
    ready = [event for event in events if event.get("__typename") == "ReadyForReviewEvent"]
    dates = (moment(event, "createdAt") for event in ready)
    return max(filter(None, dates), default=None) or moment(node, "createdAt")


def _labels(events: Iterable[Node]) -> tuple[str, ...]:
    """The labels it has in the end, in the order in which it got them."""
    labels: dict[str, None] = {}
    for event in events:
        name = given(part(event, "label"), "name", str)
        if name and event.get("__typename") == "LabeledEvent":
            labels[name] = None
        elif name:
            labels.pop(name, None)
    return tuple(labels)


def _closes(
    texts: Iterable[str], events: Iterable[Node], own: str, naming: Naming
) -> tuple[str, ...]:
    """The issues it names or was linked to, by id: those that are incidents count."""
    closes = dict.fromkeys(id_ for text in texts for id_ in mentions(text, naming))
    for event in events:
        subject = part(event, "subject")
        if "number" not in subject:
            continue
        repository = need(part(subject, "repository"), "nameWithOwner", str)
        id_ = naming.id_of(need(subject, "number", int), repository)
        if event.get("__typename") == "ConnectedEvent":
            closes[id_] = None
        else:
            closes.pop(id_, None)
    closes.pop(own, None)
    return tuple(closes)


def _resolved_at(node: Node, own: Iterable[str], labels: Sequence[str]) -> datetime | None:
    closed_at = moment(node, "closedAt")
    if not labels or _small(own) & _small(labels):
        return closed_at
    unlabelled_at = _unlabelled_at(nodes(node, "timelineItems"), _small(labels))
    return min(filter(None, (closed_at, unlabelled_at)), default=None)


def _unlabelled_at(events: Iterable[Node], labels: set[str]) -> datetime | None:
    """The moment when the last of the labels was taken off."""
    dates = (
        moment(event, "createdAt")
        for event in events
        if event.get("__typename") == "UnlabeledEvent"
        and (given(part(event, "label"), "name", str) or "").lower() in labels
    )
    return max(filter(None, dates), default=None)


def _small(names: Iterable[str]) -> set[str]:
    return {name.lower() for name in names}


def _causes(text: str, naming: Naming) -> Iterator[Cause]:
    if not _MAY_BE_CAUSE.search(text):
        return
    for line in _ROOT_CAUSE.finditer(own_words(text, with_code=True)):
        what = line["what"]
        if named := _NAMED.search(what):
            yield Cause(change=_id(named, naming))
        elif sha := _SHA.search(what):
            yield Cause(sha=sha[0])


def _id(match: re.Match[str], naming: Naming) -> str:
    repository = match["place"] or match["repository"] or ""
    return naming.id_of(match["at"] or match["number"], repository)
