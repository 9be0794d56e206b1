"""The machinery of sources with an HTTP interface: a client, limits, paging, and feeds.

A source in one file takes from here

- `check_patterns` and `find_by_patterns`, for what settings say of repositories;
- `connect`, a client that retries, waits for limits, and sends its token nowhere else;
- `Feed`, `collect_feeds` and `collect_scopes`, to read lists from where they were left, and
  `collect_history` for commits;
- a paging: `follow_link`, `Offset`, `PageNumber`, `NextCursor`, `NextURL` or `Keyset`;
- `NotUnderstood`, for what a parse function does not know how to take;
- `need`, `given`, `part`, `parts` and `moment`, to take what a server answers as it should be;
- the problems, by what can be done next: `TooHeavy`, `Gone`, `Forbidden` and so on.

Importing this package loads no `requests`; making a client does.
"""

from vpemetrics.collectors.http.budget import Budget, BudgetExhausted
from vpemetrics.collectors.http.client import (
    HttpClient,
    SecretHeaders,
    ServerOptions,
    connect,
    wait_policy,
)
from vpemetrics.collectors.http.credentials import check_settings, check_token, check_url
from vpemetrics.collectors.http.errors import (
    BadAnswer,
    BadCredentials,
    Forbidden,
    Gone,
    SourceProblem,
    TooHeavy,
    Unreachable,
    Waiting,
)
from vpemetrics.collectors.http.feeds import (
    Feed,
    NotUnderstood,
    collect_feeds,
    collect_scopes,
)
from vpemetrics.collectors.http.history import CommitHistory, collect_history, read_range
from vpemetrics.collectors.http.messages import Node, Request, Response, instant
from vpemetrics.collectors.http.paging import (
    FULL,
    Keyset,
    NextCursor,
    NextURL,
    Offset,
    Page,
    PageNumber,
    Paging,
    follow_link,
    read_pages,
)
from vpemetrics.collectors.http.pool import Done, Pool
from vpemetrics.collectors.http.rate_limit import (
    Quota,
    RateLimiter,
    RateLimits,
    Refusal,
    WaitPolicy,
)
from vpemetrics.collectors.http.repositories import (
    Found,
    RepositoryPaths,
    check_patterns,
    find_by_patterns,
)
from vpemetrics.collectors.http.shapes import (
    Malformed,
    as_object,
    check_not_all_bad,
    check_record,
    count,
    given,
    moment,
    name_of,
    need,
    part,
    parts,
    read_shape,
)

__all__ = [
    "FULL",
    "BadAnswer",
    "BadCredentials",
    "Budget",
    "BudgetExhausted",
    "CommitHistory",
    "Done",
    "Feed",
    "Forbidden",
    "Found",
    "Gone",
    "HttpClient",
    "Keyset",
    "Malformed",
    "NextCursor",
    "NextURL",
    "Node",
    "NotUnderstood",
    "Offset",
    "Page",
    "PageNumber",
    "Paging",
    "Pool",
    "Quota",
    "RateLimiter",
    "RateLimits",
    "Refusal",
    "RepositoryPaths",
    "Request",
    "Response",
    "SecretHeaders",
    "ServerOptions",
    "SourceProblem",
    "TooHeavy",
    "Unreachable",
    "WaitPolicy",
    "Waiting",
    "as_object",
    "check_not_all_bad",
    "check_patterns",
    "check_record",
    "check_settings",
    "check_token",
    "check_url",
    "collect_feeds",
    "collect_history",
    "collect_scopes",
    "connect",
    "count",
    "find_by_patterns",
    "follow_link",
    "given",
    "instant",
    "moment",
    "name_of",
    "need",
    "part",
    "parts",
    "read_pages",
    "read_range",
    "read_shape",
    "wait_policy",
]
