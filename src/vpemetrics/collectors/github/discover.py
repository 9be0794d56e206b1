"""GitHub as `init` finds it: its address, a token for it, and settings from what was decided."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, ClassVar, Final
from urllib.parse import urlsplit

from vpemetrics.collectors.base import DiscoveryContext
from vpemetrics.collectors.discovery import (
    Comment,
    DeploymentRule,
    Discovery,
    Forge,
    ForgeAnswers,
    IncidentRule,
    Line,
    Section,
    Setting,
    SourceProposal,
    Survey,
)
from vpemetrics.collectors.git.clone import Clone
from vpemetrics.collectors.github.options import Options

if TYPE_CHECKING:
    from vpemetrics.collectors.github.client import Access

_LOGIN: Final = "gh"
TOKENS: Final = ("env:GITHUB_TOKEN", "env:GH_TOKEN", _LOGIN)
"""The places in which a token for GitHub is looked for, in this order."""

_PUBLIC: Final = "https://api.github.com"
_NO_INCIDENTS: Final = (
    "No label or type of issues sounds like incidents. Without them there is no change fail "
    "rate, only the least it can be. Say what marks them here, or import them from files "
    "(docs/collectors.md)."
)


def discover(context: DiscoveryContext) -> Iterator[Discovery]:
    """The GitHub that the environment names or a clone came from, else the public one."""
    named = _named_api(context.environ)
    url = named or _api_of_clones(context.clones)
    host = web_host(url)
    yield GitHubForge(
        host=host,
        token=context.first_secret(*TOKENS),
        clones=tuple(clone for clone in context.clones if _is_from(clone, host)),
        is_guessed=named is None and url != _PUBLIC,
        url=url,
        context=context,
    )


def web_host(url: str) -> str:
    """The host at which people see the GitHub whose REST address this is."""
    host = urlsplit(url).hostname or ""
    return host.removeprefix("api.")


@dataclass(frozen=True, kw_only=True)
class GitHubForge(Forge):
    """GitHub, public or an organisation's own; `url` is its REST address."""

    url: str
    context: DiscoveryContext

    type: ClassVar[str] = "github"
    title: ClassVar[str] = "GitHub"
    examples: ClassVar[str] = "acme/shop or acme/*"
    hint: ClassVar[str] = "acme/* takes all of acme"
    tokens: ClassVar[str] = "GITHUB_TOKEN or `gh auth login`"
    remedy: ClassVar[str] = "set GITHUB_TOKEN, or log in with `gh auth login`"

    @property
    def address(self) -> str:
        """The address of the API."""
        return self.url

    @property
    def token_place(self) -> str:
        """The variable that holds the token, or the login of GitHub's command line."""
        return "the login of gh" if self.token == _LOGIN else super().token_place

    def check(self, names: tuple[str, ...]) -> None:
        """Raise ValueError for names that a GitHub source would not take."""
        Options(repositories=names, token=_LOGIN)

    def suggest(self) -> Sequence[str]:
        """The repositories that were pushed to of late; none for a token nobody is behind."""
        from vpemetrics.collectors.github.survey import list_own

        with self._access() as access:
            return list_own(access.everywhere, self.context.now) if access.everywhere else ()

    def survey(self, names: Sequence[str], progress: Callable[[int, int], None]) -> Survey:
        """The overviews of repositories; of those that fit a pattern the ones in use."""
        from vpemetrics.collectors.github.survey import find_named, survey

        with self._access() as access:
            now = self.context.now
            return survey(access, find_named(access, names, now), now, progress)

    def propose(self, answers: ForgeAnswers) -> SourceProposal:
        """The settings of a GitHub source."""
        return SourceProposal(
            name=self.type,
            type=self.type,
            lines=tuple(self._lines(answers)),
            sections=(*map(_deployments, answers.deployments), _incidents(answers.incidents)),
        )

    def _lines(self, answers: ForgeAnswers) -> Iterator[Line]:
        if self.url != _PUBLIC:
            yield Setting(key="url", value=self.url)
        where = "where it is; it never stands here"
        yield Setting(key="token", value=self.token or "", remark=where)
        yield Setting(key="repositories", value=answers.repositories)
        default = "default: 53 weeks before the first collection"
        yield Setting(key="since", value=date(2026, 1, 1), remark=default, is_example=True)

    @contextmanager
    def _access(self) -> "Iterator[Access]":
        """GitHub, open to ask with the token that was found."""
        from vpemetrics.collectors.github.client import access_by_token
        from vpemetrics.collectors.http import WaitPolicy

        access = access_by_token(
            url=self.url,
            token=self.context.secret(self.token or ""),
            policy=WaitPolicy(announce=self.context.announce),
        )
        try:
            yield access
        finally:
            access.close()


def _deployments(rule: DeploymentRule) -> Section:
    lines: list[Line] = [Setting(key="from", value=rule.kind)]
    if rule.workflow is not None:
        lines.append(Setting(key="workflow", value=rule.workflow))
    if rule.apart:
        lines.append(Setting(key="environment", value=rule.apart, is_pattern=True))
    if rule.environment is not None:
        lines.append(Setting(key="environment", value=rule.environment))
    if rule.repositories:
        lines.append(Setting(key="repositories", value=rule.repositories))
    lines += (Comment(text=reason) for reason in rule.reasons)
    return Section(name="deployments", lines=tuple(lines), is_list=True)


def _incidents(rule: IncidentRule) -> Section:
    if not rule:
        example = (Setting(key="labels", value=("incident",)),)
        return Section(name="incidents", lines=example, is_example=True, note=_NO_INCIDENTS)
    lines: list[Line] = []
    for key, values, why in (
        ("labels", rule.labels, rule.why_labels),
        ("types", rule.types, rule.why_types),
    ):
        if values:
            lines += [Comment(text=why), Setting(key=key, value=values)]
    if rule.repositories:
        lines.append(Setting(key="repositories", value=rule.repositories))
    return Section(name="incidents", lines=tuple(lines))


def _named_api(environ: Mapping[str, str]) -> str | None:
    """The address of the GitHub that the environment names.

    https://docs.github.com/en/actions/reference/variables-reference (GITHUB_API_URL),
    https://cli.github.com/manual/gh_help_environment (GH_HOST).
    """
    if address := environ.get("GITHUB_API_URL"):
        return address.rstrip("/")
    host = environ.get("GH_HOST")
    return _api(host) if host else None


def _api_of_clones(clones: Iterable[Clone]) -> str:
    """The address of the first GitHub that clones came from, by its name; else the public one."""
    hosts = [clone.remote.host for clone in clones if clone.remote and clone.remote.host]
    own = (host for host in hosts if host.startswith("github.") or _is_public(host))
    return _api(next(own, "github.com"))


def _api(host: str) -> str:
    return _PUBLIC if _is_public(host) else f"https://{host}/api/v3"


def _is_public(host: str) -> bool:
    return host.removeprefix("ssh.") == "github.com"


def _is_from(clone: Clone, host: str) -> bool:
    if clone.remote is None or clone.remote.host is None:
        return False
    return clone.remote.host.removeprefix("ssh.") == host
