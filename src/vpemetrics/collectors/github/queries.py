"""Every GraphQL query that GitHub is asked.

Repositories are asked for by their permanent id, which survives renames and transfers
(https://docs.github.com/en/graphql/guides/using-global-node-ids), and pages are as large as
`$first` says. GitHub counts a point for every hundred connections that a query opens, so a page
of up to 74 pull requests with its two nested ones costs one, and a page of 100 commits with
their parents or of 100 deployments with their statuses one
(https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from vpemetrics.names import first_few


@dataclass(frozen=True, kw_only=True)
class Query:
    """A query, and what it asks for as a person would say it who reads that it went wrong.

    The label has places for what was asked about: `{owner}`, `{path}`, or `{repositories}`,
    which are those asked for by `$owner0`, `$name0`, `$owner1` and so on.
    """

    label: str
    text: str = field(repr=False)

    def wording(self, variables: Mapping[str, Any]) -> str:
        """Return what is asked for, as in `the repositories of acme`."""
        return self.label.format_map({**variables, "repositories": _repositories(variables)})


def _repositories(variables: Mapping[str, Any]) -> str:
    numbers = [name[4:] for name in variables if re.fullmatch(r"name\d+", name)]
    names = [f"{variables.get(f'owner{at}')}/{variables.get(f'name{at}')}" for at in numbers]
    return first_few(names, 1)


NAMES_AT_ONCE: Final = 50
"""The number of repositories that one query finds by their names."""

_COST: Final = "rateLimit { cost remaining resetAt }"
_ACTOR: Final = "{ __typename login }"
_PAGE: Final = "pageInfo { hasNextPage endCursor }"

# What a look at a repository tells: whether anything in it is newer than what is known.
_FLAGS: Final = "$issues: Boolean!, $deployments: Boolean!, $releases: Boolean!, $tags: Boolean!"
_PROBE: Final = """
fragment Probe on Repository {
  id
  nameWithOwner
  isArchived
  isFork
  pushedAt
  defaultBranchRef { name target { oid } }
  pullRequests(first: 1, orderBy: {field: UPDATED_AT, direction: DESC}) {
    totalCount
    nodes { updatedAt }
  }
  issues(first: 1, orderBy: {field: UPDATED_AT, direction: DESC}) @include(if: $issues) {
    totalCount
    nodes { updatedAt }
  }
  deployments(first: 1, orderBy: {field: CREATED_AT, direction: DESC}) @include(if: $deployments) {
    totalCount
    nodes { createdAt }
  }
  releases(first: 1, orderBy: {field: CREATED_AT, direction: DESC}) @include(if: $releases) {
    totalCount
    nodes { updatedAt }
  }
  refs(
    refPrefix: "refs/tags/", first: 1, orderBy: {field: TAG_COMMIT_DATE, direction: DESC}
  ) @include(if: $tags) {
    totalCount
    nodes { name target { oid } }
  }
}
"""

LOOK: Final = Query(
    label="what is new in the repositories of {owner}",
    text=f"""
query Look(
  $owner: String!, $list: Boolean!, $first: Int!, $after: String,
  $ids: [ID!]!, $open: [ID!]!, {_FLAGS}
) {{
  {_COST}
  repositoryOwner(login: $owner) @include(if: $list) {{
    repositories(
      first: $first, after: $after, ownerAffiliations: [OWNER],
      orderBy: {{field: NAME, direction: ASC}}
    ) {{
      {_PAGE}
      nodes {{ ...Probe }}
    }}
  }}
  known: nodes(ids: $ids) {{ ...Probe }}
  open: nodes(ids: $open) {{
    __typename
    id
    ... on Deployment {{ updatedAt }}
    ... on Issue {{ updatedAt }}
    ... on PullRequest {{ updatedAt }}
  }}
}}
{_PROBE}""",
)
"""A page of an owner's repositories, repositories known by id, and when open things moved last."""


def find(count: int) -> Query:
    """The query that finds as many repositories by `$owner0`, `$name0`, `$owner1` and so on."""
    fields = _named(count, "...Probe")
    text = f"\nquery Find({_names(count)}, {_FLAGS}) {{\n  {_COST}\n{fields}\n}}\n{_PROBE}"
    return Query(label="{repositories}", text=text)


# A commit without its parents: asking for these of every pull request's would cost a hundred
# times as much.
_COMMIT: Final = """
fragment Authored on Commit {
  oid
  authoredDate
  committedDate
  message
  author { name email }
}
"""
_PULL_COMMITS: Final = f"{{ totalCount {_PAGE} nodes {{ commit {{ ...Authored }} }} }}"
_PULL_EVENTS: Final = f"""{{
  {_PAGE}
  nodes {{
    __typename
    ... on PullRequestReview {{ state submittedAt author {_ACTOR} }}
    ... on ReadyForReviewEvent {{ createdAt }}
    ... on ConvertToDraftEvent {{ createdAt }}
    ... on LabeledEvent {{ createdAt label {{ name }} }}
    ... on UnlabeledEvent {{ createdAt label {{ name }} }}
    ... on ConnectedEvent {{
      createdAt
      subject {{ ... on Issue {{ number repository {{ nameWithOwner }} }} }}
    }}
    ... on DisconnectedEvent {{
      createdAt
      subject {{ ... on Issue {{ number repository {{ nameWithOwner }} }} }}
    }}
  }}
}}"""
_PULL_ITEMS: Final = (
    "itemTypes: [PULL_REQUEST_REVIEW, READY_FOR_REVIEW_EVENT, CONVERT_TO_DRAFT_EVENT, "
    "LABELED_EVENT, UNLABELED_EVENT, CONNECTED_EVENT, DISCONNECTED_EVENT]"
)
_PULL: Final = f"""
fragment Pull on PullRequest {{
  id
  number
  url
  title
  body
  isDraft
  createdAt
  updatedAt
  mergedAt
  closedAt
  additions
  deletions
  baseRefName
  headRefName
  author {_ACTOR}
  mergeCommit {{ oid }}
  commits(first: 100) {_PULL_COMMITS}
  timelineItems(first: 100, {_PULL_ITEMS}) {_PULL_EVENTS}
}}
{_COMMIT}"""

PULLS: Final = Query(
    label="the pull requests of a repository",
    text=f"""
query Pulls($id: ID!, $first: Int!, $after: String) {{
  {_COST}
  node(id: $id) {{
    ... on Repository {{
      pullRequests(
        first: $first, after: $after, orderBy: {{field: UPDATED_AT, direction: DESC}}
      ) {{
        {_PAGE}
        nodes {{ ...Pull }}
      }}
    }}
  }}
}}
{_PULL}""",
)
"""Pull requests, the latest touched first."""

PULL_COMMITS: Final = Query(
    label="the commits of a pull request",
    text=f"""
query PullCommits($id: ID!, $first: Int!, $after: String) {{
  {_COST}
  node(id: $id) {{
    ... on PullRequest {{ commits(first: $first, after: $after) {_PULL_COMMITS} }}
  }}
}}
{_COMMIT}""",
)
"""More of one pull request's commits."""

PULL_EVENTS: Final = Query(
    label="the reviews of a pull request",
    text=f"""
query PullEvents($id: ID!, $first: Int!, $after: String) {{
  {_COST}
  node(id: $id) {{
    ... on PullRequest {{
      timelineItems(first: $first, after: $after, {_PULL_ITEMS}) {_PULL_EVENTS}
    }}
  }}
}}""",
)
"""More of one pull request's reviews and the like."""

_STATUSES: Final = f"{{ {_PAGE} nodes {{ state createdAt logUrl }} }}"
_DEPLOYMENT: Final = f"""
fragment Deployed on Deployment {{
  id
  databaseId
  environment
  task
  state
  createdAt
  updatedAt
  commitOid
  commit {{ messageHeadline }}
  ref {{ name prefix }}
  creator {_ACTOR}
  statuses(first: 100) {_STATUSES}
}}
"""

DEPLOYMENTS: Final = Query(
    label="the deployments of a repository",
    text=f"""
query Deployments($id: ID!, $first: Int!, $after: String) {{
  {_COST}
  node(id: $id) {{
    ... on Repository {{
      deployments(
        first: $first, after: $after, orderBy: {{field: CREATED_AT, direction: DESC}}
      ) {{
        {_PAGE}
        nodes {{ ...Deployed }}
      }}
    }}
  }}
}}
{_DEPLOYMENT}""",
)
"""Deployments, the latest begun first."""

STATUSES: Final = Query(
    label="the statuses of a deployment",
    text=f"""
query Statuses($id: ID!, $first: Int!, $after: String) {{
  {_COST}
  node(id: $id) {{
    ... on Deployment {{ statuses(first: $first, after: $after) {_STATUSES} }}
  }}
}}""",
)
"""More of one deployment's statuses."""

_ISSUE_EVENTS: Final = f"""{{
  {_PAGE}
  nodes {{
    __typename
    ... on LabeledEvent {{ createdAt label {{ name }} }}
    ... on UnlabeledEvent {{ createdAt label {{ name }} }}
    ... on ClosedEvent {{ createdAt }}
    ... on ReopenedEvent {{ createdAt }}
  }}
}}"""
_ISSUE_ITEMS: Final = "itemTypes: [LABELED_EVENT, UNLABELED_EVENT, CLOSED_EVENT, REOPENED_EVENT]"
_COMMENTS: Final = f"{{ {_PAGE} nodes {{ body }} }}"
_ISSUE: Final = f"""
fragment Incident on Issue {{
  id
  number
  url
  title
  body
  createdAt
  updatedAt
  closedAt
  labels(first: 100) {{ nodes {{ name }} }}
  comments(first: 100) {_COMMENTS}
  timelineItems(first: 100, {_ISSUE_ITEMS}) {_ISSUE_EVENTS}
}}
"""

ISSUES: Final = Query(
    label="the issues of a repository",
    text=f"""
query Issues($id: ID!, $first: Int!, $after: String, $labels: [String!]!) {{
  {_COST}
  node(id: $id) {{
    ... on Repository {{
      issues(
        first: $first, after: $after, labels: $labels,
        orderBy: {{field: UPDATED_AT, direction: DESC}}
      ) {{
        {_PAGE}
        nodes {{ ...Incident }}
      }}
    }}
  }}
}}
{_ISSUE}""",
)
"""Issues with a label, the latest touched first."""

ISSUE_EVENTS: Final = Query(
    label="the events of an issue",
    text=f"""
query IssueEvents($id: ID!, $first: Int!, $after: String) {{
  {_COST}
  node(id: $id) {{
    ... on Issue {{
      timelineItems(first: $first, after: $after, {_ISSUE_ITEMS}) {_ISSUE_EVENTS}
    }}
  }}
}}""",
)
"""More of what happened to one issue."""

ISSUE_COMMENTS: Final = Query(
    label="the comments of an issue",
    text=f"""
query IssueComments($id: ID!, $first: Int!, $after: String) {{
  {_COST}
  node(id: $id) {{
    ... on Issue {{ comments(first: $first, after: $after) {_COMMENTS} }}
  }}
}}""",
)
"""More of one issue's comments."""

REFETCH: Final = Query(
    label="pull requests, deployments and issues that were open",
    text=f"""
query Refetch($ids: [ID!]!) {{
  {_COST}
  nodes(ids: $ids) {{
    __typename
    ...Pull
    ...Deployed
    ...Incident
  }}
}}
{_PULL}{_DEPLOYMENT}{_ISSUE}""",
)
"""Pull requests, deployments and issues by their ids."""

RELEASES: Final = Query(
    label="the releases of a repository",
    text=f"""
query Releases($id: ID!, $first: Int!, $after: String) {{
  {_COST}
  node(id: $id) {{
    ... on Repository {{
      releases(
        first: $first, after: $after, orderBy: {{field: CREATED_AT, direction: DESC}}
      ) {{
        {_PAGE}
        nodes {{
          id
          databaseId
          tagName
          isDraft
          isPrerelease
          createdAt
          publishedAt
          url
          author {_ACTOR}
          tagCommit {{ oid messageHeadline }}
        }}
      }}
    }}
  }}
}}""",
)
"""Releases, the latest made first."""

TAGS: Final = Query(
    label="the tags of a repository",
    text=f"""
query Tags($id: ID!, $first: Int!, $after: String) {{
  {_COST}
  node(id: $id) {{
    ... on Repository {{
      refs(
        refPrefix: "refs/tags/", first: $first, after: $after,
        orderBy: {{field: TAG_COMMIT_DATE, direction: DESC}}
      ) {{
        {_PAGE}
        nodes {{
          name
          target {{
            __typename
            oid
            ... on Commit {{ committedDate messageHeadline }}
            ... on Tag {{
              tagger {{ date }}
              target {{
                __typename
                oid
                ... on Commit {{ committedDate messageHeadline }}
                ... on Tag {{
                  target {{ __typename oid ... on Commit {{ committedDate messageHeadline }} }}
                }}
              }}
            }}
          }}
        }}
      }}
    }}
  }}
}}""",
)
"""Tags, those of the latest commits first."""

HISTORY: Final = Query(
    label="the commits of a repository",
    text=f"""
query History($id: ID!, $oid: GitObjectID!, $first: Int!, $after: String) {{
  {_COST}
  node(id: $id) {{
    ... on Repository {{
      object(oid: $oid) {{
        ... on Commit {{
          history(first: $first, after: $after) {{
            {_PAGE}
            nodes {{
              ...Authored
              parents(first: 20) {{ nodes {{ oid }} }}
            }}
          }}
        }}
      }}
    }}
  }}
}}
{_COMMIT}""",
)
"""A commit and all behind it with their parents, newest first."""

TOUCHING: Final = Query(
    label="the commits that touch {path}",
    text=f"""
query Touching(
  $id: ID!, $oid: GitObjectID!, $path: String!, $since: GitTimestamp!, $until: GitTimestamp,
  $first: Int!, $after: String
) {{
  {_COST}
  node(id: $id) {{
    ... on Repository {{
      object(oid: $oid) {{
        ... on Commit {{
          history(first: $first, after: $after, path: $path, since: $since, until: $until) {{
            {_PAGE}
            nodes {{ oid }}
          }}
        }}
      }}
    }}
  }}
}}""",
)
"""The commits that touch a path."""

SIZES: Final = Query(
    label="how much there is to collect",
    text=f"""
query Sizes($ids: [ID!]!, $labels: [String!]!, $since: GitTimestamp!) {{
  {_COST}
  nodes(ids: $ids) {{
    ... on Repository {{
      id
      pullRequests(first: 1) {{ totalCount }}
      deployments(first: 1, orderBy: {{field: CREATED_AT, direction: ASC}}) {{
        totalCount
        nodes {{ createdAt }}
      }}
      issues(first: 1, labels: $labels) {{ totalCount }}
      defaultBranchRef {{
        target {{
          ... on Commit {{
            every: history(first: 1) {{ totalCount }}
            late: history(first: 1, since: $since) {{ totalCount }}
          }}
        }}
      }}
    }}
  }}
}}""",
)
"""The numbers of things that there are to collect of repositories."""

OWNED: Final = Query(
    label="the repositories of {owner}",
    text=f"""
query Owned($owner: String!, $first: Int!, $after: String) {{
  {_COST}
  repositoryOwner(login: $owner) {{
    repositories(
      first: $first, after: $after, ownerAffiliations: [OWNER],
      orderBy: {{field: PUSHED_AT, direction: DESC}}
    ) {{
      {_PAGE}
      nodes {{ nameWithOwner isArchived isFork pushedAt }}
    }}
  }}
}}""",
)
"""An owner's repositories, the latest pushed to first."""

_SIGHT: Final = """
fragment Sight on Repository {
  nameWithOwner
  owner { __typename login }
  deployments(first: 1, orderBy: {field: CREATED_AT, direction: DESC}) { nodes { createdAt } }
  releases(first: 100, orderBy: {field: CREATED_AT, direction: DESC}) {
    nodes { tagName isDraft isPrerelease publishedAt }
  }
  refs(
    refPrefix: "refs/tags/", first: 100, orderBy: {field: TAG_COMMIT_DATE, direction: DESC}
  ) {
    nodes {
      name
      target {
        __typename
        ... on Commit { committedDate }
        ... on Tag { tagger { date } target { ... on Commit { committedDate } } }
      }
    }
  }
  pullRequests(states: [MERGED], first: 100, orderBy: {field: UPDATED_AT, direction: DESC}) {
    nodes { mergedAt }
  }
  labels(first: 100, orderBy: {field: NAME, direction: ASC}) { nodes { name } }
  owners0: object(expression: "HEAD:.github/CODEOWNERS") { ... on Blob { text } }
  owners1: object(expression: "HEAD:CODEOWNERS") { ... on Blob { text } }
  owners2: object(expression: "HEAD:docs/CODEOWNERS") { ... on Blob { text } }
  catalog: object(expression: "HEAD:catalog-info.yaml") { ... on Blob { text } }
}
"""


def sight(count: int) -> Query:
    """The query for what as many repositories, named as for `find`, present of themselves."""
    text = (
        f"\nquery Sight({_names(count)}) {{\n  {_COST}\n{_named(count, '...Sight')}\n}}\n{_SIGHT}"
    )
    return Query(label="what {repositories} can tell", text=text)


def labelled(count: int) -> Query:
    """The query for the latest issues with one of `$labels` of as many repositories."""
    issues = (
        "issues(first: 100, labels: $labels, orderBy: {field: CREATED_AT, direction: DESC})"
        " { nodes { createdAt labels(first: 20) { nodes { name } } } }"
    )
    variables = f"{_names(count)}, $labels: [String!]!"
    text = f"\nquery Labelled({variables}) {{\n  {_COST}\n{_named(count, issues)}\n}}"
    return Query(label="the incidents of {repositories}", text=text)


def _names(count: int) -> str:
    return ", ".join(f"$owner{at}: String!, $name{at}: String!" for at in range(count))


def _named(count: int, fields: str) -> str:
    return "\n".join(
        f"  r{at}: repository(owner: $owner{at}, name: $name{at}, followRenames: true)"
        f" {{ {fields} }}"
        for at in range(count)
    )


QUERIES: Final[Mapping[str, str]] = {
    "LOOK": LOOK.text,
    "FIND": find(2).text,
    "PULLS": PULLS.text,
    "PULL_COMMITS": PULL_COMMITS.text,
    "PULL_EVENTS": PULL_EVENTS.text,
    "DEPLOYMENTS": DEPLOYMENTS.text,
    "STATUSES": STATUSES.text,
    "ISSUES": ISSUES.text,
    "ISSUE_EVENTS": ISSUE_EVENTS.text,
    "ISSUE_COMMENTS": ISSUE_COMMENTS.text,
    "REFETCH": REFETCH.text,
    "RELEASES": RELEASES.text,
    "TAGS": TAGS.text,
    "HISTORY": HISTORY.text,
    "TOUCHING": TOUCHING.text,
    "SIZES": SIZES.text,
    "OWNED": OWNED.text,
    "SIGHT": sight(2).text,
    "LABELLED": labelled(2).text,
}
"""The texts of all of them by name; those that ask by names for two repositories."""
