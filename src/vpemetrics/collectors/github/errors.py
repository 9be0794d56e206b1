"""GitHub's failures in GitHub's words: what `http.errors` cannot know."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from vpemetrics.collectors.http import (
    BadAnswer,
    Forbidden,
    Gone,
    Request,
    Response,
    SourceProblem,
    TooHeavy,
)
from vpemetrics.collectors.http.errors import (
    bad_credentials,
    forbidden,
    gone,
    no_json,
    problem_with,
)
from vpemetrics.collectors.http.messages import one_line
from vpemetrics.collectors.http.shapes import kind_of
from vpemetrics.errors import FixConfiguration, VpemetricsError

GRAPHQL: Final = "graphql"
"""The limit that queries count on, and what tells them from other requests."""

# Answers of a gateway that waited for GitHub's ten seconds, and GitHub's own failures:
# https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api
_HEAVY_STATUS: Final = frozenset({500, 502, 503, 504})
_HEAVY_TYPES: Final = frozenset(
    {"RESOURCE_LIMITS_EXCEEDED", "MAX_NODE_LIMIT_EXCEEDED", "TIMEOUT", "SERVICE_UNAVAILABLE"}
)
_HEAVY = re.compile(
    r"something went wrong while executing|timed? ?out|respond to your request in time", re.I
)
# https://docs.github.com/en/rest/authentication/authenticating-to-the-rest-api
_SSO_URL = re.compile(r"url=(\S+)")
_PARTIAL = re.compile(r"partial-results;\s*organizations=([\d,]+)")
_ORGANISATION = re.compile(r"/orgs/([^/?]+)/")
_MINUTE: Final = timedelta(minutes=1)
_CLOCK_MAY_DIFFER: Final = _MINUTE


def read_problem(response: Response, request: Request, now: datetime) -> VpemetricsError | None:
    """Return why a response is no answer; None if it is one. Limits are not looked for.

    FixConfiguration if it is a web page: then something else than GitHub's interface answers.
    """
    status = response.status
    if status in _HEAVY_STATUS:
        return TooHeavy(f"{request.name}: GitHub failed ({status}){_may_be_heavy(request)}")
    if response.is_page:
        return FixConfiguration(
            f"url: a web page answers ({status}) instead of GitHub's interface; that of "
            "GitHub Enterprise Server is at https://HOST/api/v3, and a proxy may stand between"
        )
    if 200 <= status < 300:
        return _problem_inside(response, request)
    if status == 401:
        return bad_credentials(response, request, _clock_hint(response, now))
    if status in (403, 451):
        return forbidden(response, request, sso_hint(response) or _wanting(response))
    if status == 409:  # an empty repository
        return gone(response, request)
    return problem_with(response, request, now)


def graphql_errors(response: Response) -> tuple[Mapping[str, Any], ...]:
    """Return the errors of a GraphQL answer: https://spec.graphql.org/October2021/#sec-Errors."""
    body = response.json if response.is_json else None
    found = body.get("errors") if isinstance(body, dict) else None
    errors = found if isinstance(found, list) else [found]
    return tuple(error for error in errors if isinstance(error, dict) and error)


def sso_hint(response: Response) -> str:
    """Return where an organisation wants the token to be authorized; empty if it does not."""
    found = _SSO_URL.search(response.headers.get("x-github-sso", ""))
    if not found:
        return ""
    organisation = _ORGANISATION.search(found[1])
    who = organisation[1] if organisation else "its organisation"
    return f"{who} asks for single sign-on (SAML): authorize the token at {found[1]}"


def organisations_left_out(response: Response) -> tuple[str, ...]:
    """Return the ids of organisations whose things a list lacks, as they want single sign-on."""
    found = _PARTIAL.match(response.headers.get("x-github-sso", ""))
    return tuple(found[1].split(",")) if found else ()


def _problem_inside(response: Response, request: Request) -> SourceProblem | None:
    if problem := no_json(response, request):
        return problem
    if request.resource != GRAPHQL:
        return None
    if odd := _not_as_asked(response, request):
        return odd
    errors = graphql_errors(response)
    if not errors:
        return None
    heavy = [error for error in errors if _is_heavy(error)]
    if heavy:
        said = one_line(str(heavy[0].get("message")))
        return TooHeavy(f"{request.name}: GitHub gave up{_may_be_heavy(request)}: {said}")
    return None if _something(response.json.get("data")) else _nothing_given(response, request)


def _not_as_asked(response: Response, request: Request) -> SourceProblem | None:
    """Return the problem with an answer that is none of GraphQL, or gives neither data nor errors.

    https://spec.graphql.org/October2021/#sec-Response-Format
    """
    body = response.json
    data = body.get("data") if isinstance(body, dict) else body
    if isinstance(data, dict) or (data is None and graphql_errors(response)):
        return None
    return BadAnswer(
        f"{request.name}: GitHub's answer has {kind_of(data)} as `data`, where an object belongs"
    )


def _nothing_given(response: Response, request: Request) -> SourceProblem:
    """Return why not even a part was answered."""
    errors = graphql_errors(response)
    said = one_line("; ".join(str(error.get("message")) for error in errors))
    kinds = {str(error.get("type")) for error in errors}
    if kinds == {"NOT_FOUND"}:
        return Gone(f"{request.name}: {said}")
    if kinds & {"FORBIDDEN", "INSUFFICIENT_SCOPES"}:
        return Forbidden(f"{request.name}: {sso_hint(response) or said}")
    return SourceProblem(
        f"{request.name}: GitHub does not understand it (GitHub Enterprise Server may be too "
        f"old for it): {said}"
    )


def _something(data: Any) -> bool:
    """Return whether data holds anything asked for, or several things that are not there."""
    fields = {name: value for name, value in (data or {}).items() if name != "rateLimit"}
    return len(fields) > 1 or any(value is not None for value in fields.values())


def _is_heavy(error: Mapping[str, Any]) -> bool:
    return str(error.get("type")) in _HEAVY_TYPES or bool(_HEAVY.search(str(error.get("message"))))


def _may_be_heavy(request: Request) -> str:
    return " as it may be too much at once" if request.resource == GRAPHQL else ""


def _clock_hint(response: Response, now: datetime) -> str:
    """Return by how much our clock is wrong, which makes GitHub refuse a key; empty if not."""
    astray = abs(now - (response.sent_at or now))
    if astray <= _CLOCK_MAY_DIFFER:
        return ""
    minutes = round(astray / _MINUTE)
    return f"; or it is a key and this machine's clock differs from GitHub's by {minutes} min"


def _wanting(response: Response) -> str:
    """Return what has to be granted, as far as GitHub says.

    https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api
    """
    permissions = response.headers.get("x-accepted-github-permissions")
    scopes = response.headers.get("x-accepted-oauth-scopes")
    if permissions:
        needs = permissions.replace("=", ": ").replace(";", " or")
        return f"it needs the permission {needs}, granted in the settings of the token or App"
    return f"it needs the scope {scopes}, granted in the settings of the token" if scopes else ""
