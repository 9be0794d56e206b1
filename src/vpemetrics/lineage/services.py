"""Our services, looked up by a source's names for them, and production (rules D2 and D6)."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Final

from vpemetrics.errors import FixConfiguration
from vpemetrics.names import name_key
from vpemetrics.patterns import Pattern
from vpemetrics.rules import Rules, Service, matches

_WILD: Final = re.compile(r"[*+]")
_FEW: Final = 4


class Services:
    """Our services by what sources call them, in any spelling (rule D7); answers are remembered.

    `shown` are the spellings, by their keys, of services that the configuration does not name.
    """

    def __init__(self, rules: Rules, shown: Mapping[str, str] | None = None) -> None:
        self._rules = rules
        self._shown = shown or {}
        self._by_name = {name_key(service.name): service for service in rules.services}
        self._known: dict[tuple[str | None, str | None, bool], str | None] = {}
        self._production: dict[tuple[str, str], bool] = {}

    def name(
        self, source_name: str | None, repository: str | None, *, is_prefix: bool = False
    ) -> str | None:
        """Our name for a source's service and repository; None where nothing names one.

        Configuration first, then the source's own name, then the repository. What is no more than
        the prefix of tags (`is_prefix`) is a name to the configuration only.
        """
        key = (source_name, repository, is_prefix)
        if key not in self._known:
            self._known[key] = self._find(*key)
        return self._known[key]

    def _find(self, source_name: str | None, repository: str | None, is_prefix: bool) -> str | None:
        own, home = (source_name or "").strip(), (repository or "").strip()
        configured = self._configured(own, home)
        if is_prefix and home and not (configured and self._is_of(configured, home)):
            return self._find(None, home, False)
        return configured or self._spelled(own or home)

    def _is_of(self, name: str, repository: str) -> bool:
        """Tell whether a configured service may be deployed from a repository."""
        own = self.configured(name).repository
        return own is None or name_key(own) == name_key(repository)

    def _spelled(self, name: str) -> str | None:
        return self._shown.get(name_key(name), name) or None

    def _configured(self, source_name: str, repository: str) -> str | None:
        services = self._rules.services
        if source_name:
            if named := self._by_name.get(name_key(source_name)):
                return named.name
            found = (s.name for s in services if matches(source_name, s.sources))
            return next(found, None)
        home = name_key(repository)
        owners = [s.name for s in services if s.repository and name_key(s.repository) == home]
        return owners[0] if len(owners) == 1 else None

    @property
    def declared(self) -> list[str]:
        """The services that the configuration names."""
        return [service.name for service in self._rules.services]

    def configured(self, name: str) -> Service:
        """The settings of our service; nothing but its name by default."""
        return self._by_name.get(name_key(name)) or Service(name=name)

    def is_production(self, name: str, environment: str) -> bool:
        """Tell whether deployments of our service there are production ones."""
        key = (name, environment)
        if key not in self._production:
            patterns = self.configured(name).environments or self._rules.environments
            self._production[key] = matches(environment, patterns)
        return self._production[key]


def path_matcher(patterns: Sequence[str]) -> Callable[[str], bool] | None:
    """Make a test of paths from gitignore-style patterns; None where all are the service's."""
    if not patterns:
        return None
    from pathspec import GitIgnoreSpec

    spec = GitIgnoreSpec.from_lines(patterns)
    for pattern in spec.patterns:
        # One with few * is quick in any case, and quicker without a clock.
        if pattern.regex is not None and len(_WILD.findall(pattern.regex.pattern)) > _FEW:
            try:
                timed = Pattern("service.paths", pattern.regex.pattern)
            except ValueError as large:
                raise FixConfiguration(str(large)) from None
            pattern.regex = timed  # type: ignore[assignment]  # only search and match are called
    return cache(spec.match_file)
