"""What a reply that gives no answer means for who asked: which problem, and in which words."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from vpemetrics.collectors.github.messages import GRAPHQL, Question, Reply, shortened
from vpemetrics.collectors.github.problems import (
    BadCredentials,
    Forbidden,
    GitHubProblem,
    Gone,
    TooHeavy,
    Unreachable,
)
from vpemetrics.errors import FixConfiguration, VpemetricsError

# Answers of a gateway that waited for GitHub's ten seconds, and GitHub's own failures.
_HEAVY_STATUS: Final = frozenset({500, 502, 503, 504})
_HEAVY_TYPES: Final = frozenset(
    {"RESOURCE_LIMITS_EXCEEDED", "MAX_NODE_LIMIT_EXCEEDED", "TIMEOUT", "SERVICE_UNAVAILABLE"}
)
_HEAVY = re.compile(
    r"something went wrong while executing|timed? ?out|respond to your request in time", re.I
)
_SSO_URL = re.compile(r"url=(\S+)")
_PARTIAL = re.compile(r"partial-results;\s*organizations=([\d,]+)")
_ORGANISATION = re.compile(r"/orgs/([^/?]+)/")
_MINUTE: Final = timedelta(minutes=1)
_CLOCK_MAY_DIFFER: Final = _MINUTE


def problem_with(reply: Reply, question: Question, now: datetime) -> VpemetricsError | None:
    """Why a reply is no answer; None if it is one. Refusals for a limit are not looked for.

    FixConfiguration if it is a web page: then something else than GitHub's interface answers.
    """
    if reply.status in _HEAVY_STATUS:
        return TooHeavy(f"{question.name}: GitHub failed ({reply.status}){_may_be_heavy(question)}")
    if reply.is_page:
        return FixConfiguration(
            f"url: a web page answers ({reply.status}) instead of GitHub's interface; that of "
            "GitHub Enterprise Server is at https://HOST/api/v3, and a proxy may stand between"
        )
    if reply.status == 200:
        return _problem_inside(reply, question)
    if reply.status == 401:
        return BadCredentials(f"{question.name}: {_bad_credentials(reply, now)}")
    if reply.status < 400 or (reply.status == 404 and question.may_be_missing):
        return None
    told = _TOLD.get(reply.status, _refused)
    return told(reply, question)


def sso_hint(reply: Reply) -> str:
    """Where an organisation wants the token to be authorized, as a sentence; empty if not."""
    found = _SSO_URL.search(reply.headers.get("x-github-sso", ""))
    if not found:
        return ""
    organisation = _ORGANISATION.search(found[1])
    who = organisation[1] if organisation else "its organisation"
    return f"{who} asks for single sign-on (SAML): authorize the token at {found[1]}"


def organisations_left_out(reply: Reply) -> tuple[str, ...]:
    """The ids of organisations whose things a list lacks, as they want single sign-on."""
    found = _PARTIAL.match(reply.headers.get("x-github-sso", ""))
    return tuple(found[1].split(",")) if found else ()


def _problem_inside(reply: Reply, question: Question) -> GitHubProblem | None:
    if not reply.is_json:
        return Unreachable(f"{question.name}: the answer was cut off")
    if question.resource != GRAPHQL or not reply.errors:
        return None
    heavy = [error for error in reply.errors if _is_heavy(error)]
    if heavy:
        said = shortened(str(heavy[0].get("message")))
        return TooHeavy(f"{question.name}: GitHub gave up{_may_be_heavy(question)}: {said}")
    return None if _something(reply.json.get("data")) else _nothing_given(reply, question)


def _nothing_given(reply: Reply, question: Question) -> GitHubProblem:
    """Why not even a part was answered."""
    said = shortened("; ".join(str(error.get("message")) for error in reply.errors))
    kinds = {error.get("type") for error in reply.errors}
    if kinds == {"NOT_FOUND"}:
        return Gone(f"{question.name}: {said}")
    if kinds & {"FORBIDDEN", "INSUFFICIENT_SCOPES"}:
        return Forbidden(f"{question.name}: {sso_hint(reply) or said}")
    return GitHubProblem(
        f"{question.name}: GitHub does not understand it (GitHub Enterprise Server may be too "
        f"old for it): {said}"
    )


def _something(data: Any) -> bool:
    """Whether data holds anything that was asked for, or several things that are not there."""
    fields = {name: value for name, value in (data or {}).items() if name != "rateLimit"}
    return len(fields) > 1 or any(value is not None for value in fields.values())


def _is_heavy(error: Mapping[str, Any]) -> bool:
    return error.get("type") in _HEAVY_TYPES or bool(_HEAVY.search(str(error.get("message"))))


def _may_be_heavy(question: Question) -> str:
    return " as it may be too much at once" if question.resource == GRAPHQL else ""


def _bad_credentials(reply: Reply, now: datetime) -> str:
    astray = abs(now - (reply.sent_at or now))
    why = "it is wrong, expired or revoked; put a new one in its place"
    if astray > _CLOCK_MAY_DIFFER:
        minutes = round(astray / _MINUTE)
        why += f"; or it is a key and this machine's clock differs from GitHub's by {minutes} min"
    return f"GitHub does not accept the token or key ({_said(reply)}): {why}"


def _forbidden(reply: Reply, question: Question) -> GitHubProblem:
    hint = sso_hint(reply) or _wanting(reply)
    return Forbidden(f"{question.name}: {_said(reply)}{hint and '; '}{hint}")


def _wanting(reply: Reply) -> str:
    """What has to be granted, as far as GitHub says."""
    permissions = reply.headers.get("x-accepted-github-permissions")
    scopes = reply.headers.get("x-accepted-oauth-scopes")
    if permissions:
        needs = permissions.replace("=", ": ").replace(";", " or")
        return f"it needs the permission {needs}, granted in the settings of the token or App"
    return f"it needs the scope {scopes}, granted in the settings of the token" if scopes else ""


def _gone(reply: Reply, question: Question) -> GitHubProblem:
    return Gone(f"{question.name}: there is nothing of this name that may be seen ({_said(reply)})")


def _refused(reply: Reply, question: Question) -> GitHubProblem:
    return GitHubProblem(f"{question.name}: GitHub refuses it ({_said(reply)})")


def _said(reply: Reply) -> str:
    return f"{reply.status} {reply.message}".strip()


# 409 is an empty repository, 410 a feature that is switched off, 451 a legal block.
_TOLD: Final[Mapping[int, Callable[[Reply, Question], GitHubProblem]]] = {
    403: _forbidden,
    404: _gone,
    409: _gone,
    410: _gone,
    451: _forbidden,
}
