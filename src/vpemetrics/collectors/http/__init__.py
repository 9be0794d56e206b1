"""The machinery of sources with an HTTP interface: a client, limits, paging, and feeds.

A source in one file takes from here

- `connect`, a client that retries, waits for limits, and sends its token nowhere else;
- `Feed`, `collect_feeds` and `collect_scopes`, to read lists from where they were left;
- a paging: `follow_link`, `Offset`, `PageNumber`, `NextCursor`, `NextURL` or `Keyset`;
- the problems, by what can be done next: `TooHeavy`, `Gone`, `Forbidden` and so on.

Importing this package loads no `requests`; making a client does.
"""

from vpemetrics.collectors.http.budget import Budget, BudgetExhausted
from vpemetrics.collectors.http.client import HttpClient, SecretHeaders, connect, wait_policy
from vpemetrics.collectors.http.credentials import check_token, check_url
from vpemetrics.collectors.http.errors import (
    BadCredentials,
    Forbidden,
    Gone,
    SourceProblem,
    TooHeavy,
    Unreachable,
    Waiting,
)
from vpemetrics.collectors.http.feeds import Feed, collect_feeds, collect_scopes
from vpemetrics.collectors.http.messages import Node, Request, Response
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

__all__ = [
    "FULL",
    "BadCredentials",
    "Budget",
    "BudgetExhausted",
    "Done",
    "Feed",
    "Forbidden",
    "Gone",
    "HttpClient",
    "Keyset",
    "NextCursor",
    "NextURL",
    "Node",
    "Offset",
    "Page",
    "PageNumber",
    "Paging",
    "Pool",
    "Quota",
    "RateLimiter",
    "RateLimits",
    "Refusal",
    "Request",
    "Response",
    "SecretHeaders",
    "SourceProblem",
    "TooHeavy",
    "Unreachable",
    "WaitPolicy",
    "Waiting",
    "check_token",
    "check_url",
    "collect_feeds",
    "collect_scopes",
    "connect",
    "follow_link",
    "read_pages",
    "wait_policy",
]
