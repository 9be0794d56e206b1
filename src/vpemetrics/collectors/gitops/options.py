"""The settings of a GitOps source."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from vpemetrics.collectors.gitops.manifests import NAMES, names_of, parse_place
from vpemetrics.patterns import Pattern


@dataclass(frozen=True, kw_only=True)
class Options:
    """A configuration repository, and where in it a service, a version and a place are named.

    `path` lies in the repository, `branch` is its default branch. Versions stand in subjects
    of commits (`subject`, a regular expression that fits all of one) or in files: `file` fits
    their paths, `value` says where in the YAML. The groups of either are `service`, `version`
    and `environment`; what is in neither is `service` or `environment` for all. `only` are
    patterns of services (`!` before one leaves out). Deployments before `since` are left out.

    `clones` is where the services' own repositories lie, `repository` how these are called and
    `tag` how a version is called there; `{service}` and `{version}` stand for the names.
    ValueError if these do not name all there is to know, or name it twice.
    """

    path: str = "."
    subject: str | None = None
    file: str | None = None
    value: str | None = None
    service: str | None = None
    environment: str | None = None
    only: tuple[str, ...] = ()
    branch: str | None = None
    since: date | None = None
    clones: str | None = None
    repository: str | None = None
    tag: str | None = None

    def __post_init__(self) -> None:
        for mistake in self._mistakes():
            raise ValueError(mistake)

    @cached_property
    def pattern(self) -> Pattern:
        """The pattern that subjects, or else paths of files, have to fit."""
        return Pattern("subject" if self.subject else "file", self.subject or self.file or "")

    def _mistakes(self) -> Iterator[str]:
        if bool(self.subject) == bool(self.file):
            yield "needs subject or file, one of the two: where versions are named"
        if bool(self.file) != bool(self.value):
            yield "needs file and value together: which files, and where in them the version is"
        named = {*self.pattern.names}
        if self.value:
            named |= names_of(parse_place(self.value)) | {"version"}
        fixed = {name for name in ("service", "environment") if getattr(self, name)}
        for name in NAMES:
            if name not in named | fixed:
                yield f"nothing names the {name}: it needs a group (?P<{name}>…)" + (
                    "" if name == "version" else f", or {name} for all"
                )
        for name in sorted(named & fixed):
            yield f"{name} is for all, so no group can be called that"
