"""The check of a GitHub source: it answers, the token may do enough, and what it costs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from vpemetrics.collectors.base import CollectionContext, Finding, Level
from vpemetrics.collectors.github.client import Access, Client, Limits
from vpemetrics.collectors.github.collect import Forecast, access, forecast, minutes
from vpemetrics.collectors.github.options import Options
from vpemetrics.collectors.http import Forbidden, Gone, Quota, Waiting
from vpemetrics.collectors.http.rate_limit import moment_text
from vpemetrics.names import first_few

_SCOPED: Final = frozenset({"repo"})
_FEW: Final = 5
_ACCESS: Final = "correct `repositories`, or give the token access to what they name"


@dataclass(frozen=True, kw_only=True)
class Need:
    """A permission, what it is for, and an address below a repository that takes it."""

    permission: str
    purpose: str
    address: str


CONTENTS: Final = Need(permission="contents", purpose="commits", address="commits")
PULLS: Final = Need(permission="pull_requests", purpose="pull requests", address="pulls")
DEPLOYMENTS: Final = Need(permission="deployments", purpose="deployments", address="deployments")
ISSUES: Final = Need(permission="issues", purpose="incidents", address="issues")
ACTIONS: Final = Need(permission="actions", purpose="workflow runs", address="actions/runs")


def check(options: Options, context: CollectionContext) -> Iterator[Finding]:
    """The findings about GitHub: it answers, what the token is and lacks, what is left and needed.

    Waits for no limit.
    """
    at_once = replace(options, max_requests=None, max_wait="0s")
    opened = access(at_once, context)
    try:
        yield from _findings(opened, at_once, context)
    except Waiting as waiting:
        yield Finding(
            topic="limits",
            level=Level.ERROR,
            text="a limit of GitHub's is reached until "
            f"{moment_text(waiting.until, context.rules.zone)}",
            mend="check again then; a collection would wait for it, as long as max_wait says",
        )
    finally:
        opened.close()


def _findings(opened: Access, options: Options, context: CollectionContext) -> Iterator[Finding]:
    told = [client.limits() for client in opened.clients]
    for limits in told:
        yield from _of_token(limits, options, context.rules.zone)
    found = forecast(options, context, opened)
    yield from _repositories(found)
    if not opened.accounts:  # an App says what it may
        yield from _permissions(opened, found, options, told[0].kind)
    if found.names:
        yield _cost(found, not context.cursors)


def needs_of(options: Options) -> tuple[Need, ...]:
    """The permissions that these settings take; all of them are for reading."""
    kinds = {rule.kind for rule in options.deployments}
    return (
        CONTENTS,
        PULLS,
        *((DEPLOYMENTS,) if "environments" in kinds else ()),
        *((ISSUES,) if options.incidents else ()),
        *((ACTIONS,) if options.runs or "workflow" in kinds else ()),
    )


def _of_token(limits: Limits, options: Options, zone: str) -> Iterator[Finding]:
    """The kind of a token, what it lacks as far as it tells, and what is left of its hour."""
    host = urlsplit(options.url).hostname
    scopes = f" with {', '.join(limits.scopes) or 'no scopes'}" if limits.scopes is not None else ""
    yield Finding(topic="token", text=f"{host} answers; {_a(limits.kind)}{scopes}")
    if limits.scopes is not None and not _SCOPED & set(limits.scopes):
        yield Finding(
            topic="permissions",
            level=Level.WARNING,
            text="the scope repo is missing, so private repositories are not seen",
            mend=f"tick repo for the token at {_site(options)}/settings/tokens",
        )
    if limits.permissions is not None:
        yield from _of_app(limits.permissions, options)
    yield from _quota("requests", limits.core, zone)
    yield from _quota("GraphQL points", limits.graphql, zone)


def _of_app(permissions: Mapping[str, str], options: Options) -> Iterator[Finding]:
    for need in needs_of(options):
        if need.permission not in permissions:
            yield Finding(
                topic="permissions",
                level=Level.ERROR,
                text=f"the permission {need.permission}: read is missing, for {need.purpose}",
                mend="grant it in the App's settings under Permissions & events, then accept it "
                "where the App is installed",
            )


def _quota(what: str, quota: Quota | None, zone: str) -> Iterator[Finding]:
    if quota is None:
        return
    until = moment_text(quota.reset_at, zone)
    yield Finding(
        topic="limits",
        text=f"{quota.remaining:,} of {quota.limit:,} {what} are left until {until}",
        numbers={"limit": quota.limit, "remaining": quota.remaining},
    )


def _repositories(found: Forecast) -> Iterator[Finding]:
    for name, problem in sorted(found.problems.items()):
        yield Finding(
            topic="repositories",
            level=Level.ERROR,
            text=f"{name}: {problem}",
            mend=_ACCESS if isinstance(problem, Gone) else "",
        )
    if found.names:
        text = f"{len(found.names):,} found: {first_few(found.names, _FEW)}"
        yield Finding(topic="repositories", text=text, numbers={"count": len(found.names)})
    elif not found.problems:
        yield Finding(
            topic="repositories",
            level=Level.ERROR,
            text="none is found",
            mend=_ACCESS,
        )


def _permissions(opened: Access, found: Forecast, options: Options, kind: str) -> Iterator[Finding]:
    """Try what a token does not tell of itself, in one repository of each account."""
    first = {name.partition("/")[0]: name for name in reversed(found.names)}
    lacking = {
        need.permission: need
        for account, name in first.items()
        for need in needs_of(options)
        if not _may(opened.client(account), name, need)
    }
    for need in lacking.values():
        yield Finding(
            topic="permissions",
            level=Level.ERROR,
            text=f"the permission {need.permission}: read is missing, for {need.purpose}",
            mend=_where_to_grant(need, kind, options),
        )
    if found.names and not lacking:
        purposes = ", ".join(need.purpose for need in needs_of(options))
        yield Finding(topic="permissions", text=f"{purposes} may be read")


def _where_to_grant(need: Need, kind: str, options: Options) -> str:
    if kind == "Actions token":
        permission = need.permission.replace("_", "-")
        return f"write `permissions: {{ {permission}: read }}` into the workflow"
    page = "personal-access-tokens" if kind == "fine-grained token" else "tokens"
    return f"grant it to the token at {_site(options)}/settings/{page}"


def _may(client: Client, repository: str, need: Need) -> bool:
    try:
        client.get(f"/repos/{repository}/{need.address}", {"per_page": 1})
    except Gone:  # empty, or a feature that is switched off
        return True
    except Forbidden:
        return False
    return True


def _cost(found: Forecast, is_first: bool) -> Finding:
    cost = found.cost
    numbers = {"requests": cost.requests, "points": cost.points, "busy": found.busy}
    if not cost.requests:
        text = (
            f"{found.busy:,} of {len(found.names):,} repositories have something new"
            if found.busy
            else "nothing is new: a request for every hundred repositories"
        )
        return Finding(topic="cost", text=text, numbers=numbers)
    first = "the first collection takes" if is_first else "repositories that are new take"
    text = (
        f"{first} about {cost.requests:,} requests, {cost.points:,} GraphQL points and "
        f"{minutes(cost)}"
    )
    return Finding(topic="cost", text=text, numbers=numbers)


def _site(options: Options) -> str:
    """The address at which people see this GitHub."""
    parts = urlsplit(options.url)
    return f"{parts.scheme}://{parts.netloc.removeprefix('api.')}"


def _a(kind: str) -> str:
    return f"an {kind}" if kind[0] in "AO" else f"a {kind}"
