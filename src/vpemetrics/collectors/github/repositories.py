"""The search for the repositories to collect, with a probe of each, in few requests.

One query looks at a page of an owner's repositories, at some that are known by their ids, and at
open things. Repositories are followed by their permanent ids through renames and transfers.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from vpemetrics.collectors.github import queries
from vpemetrics.collectors.github.client import Access, Client, GraphQLResult, Missing
from vpemetrics.collectors.github.connections import DEPLOYMENTS, FULL, RELEASES, RULES, TAGS
from vpemetrics.collectors.github.cursor import GitHubCursor
from vpemetrics.collectors.github.options import Options
from vpemetrics.collectors.github.repository import RepositoryProbe, instant
from vpemetrics.collectors.http import Forbidden, Gone, Node, SourceProblem, TooHeavy
from vpemetrics.rules import is_chosen, matches

_NOT_FOUND: Final = "NOT_FOUND"
_FINAL: Final = (_NOT_FOUND, "FORBIDDEN")
"""The failures of what will not be given either when it is asked for again."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """The repositories that a search found, and by id what became of open things.

    An open thing that is gone has no time. `problems` are by owner or repository.
    """

    seen: Sequence[RepositoryProbe]
    open: Mapping[str, datetime | None]
    problems: Mapping[str, SourceProblem]


def look(access: Access, options: Options, positions: Iterable[GitHubCursor]) -> Look:
    """Looks at all repositories that are wanted; `positions` are where they were left."""
    found = _Looking(options, positions, access.client)
    found.look()
    return Look(seen=found.seen(), open=found.open, problems=found.problems)


class _Looking:
    """A look in the making."""

    def __init__(
        self,
        options: Options,
        positions: Iterable[GitHubCursor],
        client: Callable[[str], Client],
    ) -> None:
        self._options = options
        self._positions = {one.id: one for one in positions}
        self._client = client
        self._probes: dict[str, Node] = {}
        self._insisting = False
        names = (name for name in options.repositories if not name.startswith("!"))
        wanted = dict.fromkeys((*names, *options.incidents.repositories))
        self._literal = [name for name in wanted if not set(name) & set("*?")]
        self._owners = {
            _owner(name).lower(): _owner(name) for name in wanted if name not in self._literal
        }
        self.open: dict[str, datetime | None] = {}
        self.problems: dict[str, SourceProblem] = {}

    def look(self) -> None:
        """Asks for everything."""
        accounts = {**self._owners}
        for one in self._wanted():
            accounts.setdefault(_owner(one.name).lower(), _owner(one.name))
        for small, owner in sorted(accounts.items()):
            mine = [one for one in self._wanted() if _owner(one.name).lower() == small]
            ids = [one.id for one in mine if self._asked(one) or small not in self._owners]
            self._account(
                owner,
                is_listed=small in self._owners,
                ids=ids,
                open_ids=[id_ for one in mine for id_, it in one.open.items() if it.updated_at],
            )
        self._find([name for name in self._literal if not self._is_found(name)])
        self._follow()

    def seen(self) -> list[RepositoryProbe]:
        """The repositories that are to be collected."""
        taken = {one.known.lower() for one in self._positions.values()}
        found = []
        for id_, probe in self._probes.items():
            before = self._positions.get(id_)
            asked = self._named(probe, before)
            if not asked and not self._is_chosen(probe, before):
                continue
            name = str(probe["nameWithOwner"])
            # A name that another repository had before stays that one's in the records.
            fresh = name if name.lower() not in taken else f"{name}:{id_}"
            known = before.known if before else fresh
            found.append(
                RepositoryProbe(node=probe, known=known, asked=asked, account=_owner(name))
            )
        return sorted(found, key=lambda one: one.name.lower())

    def _wanted(self) -> list[GitHubCursor]:
        """The repositories that were collected before and still are to be."""
        return [
            one
            for one in self._positions.values()
            if self._asked(one)
            or (self._fits(one.known) and not self._is_left_out(one.name))
            or self._fits(one.name)
        ]

    def _asked(self, position: GitHubCursor) -> bool:
        return position.asked in self._literal if position.asked else False

    def _fits(self, name: str) -> bool:
        return is_chosen(name, self._options.repositories)

    def _is_left_out(self, name: str) -> bool:
        unwanted = [one[1:] for one in self._options.repositories if one.startswith("!")]
        return matches(name, unwanted)

    def _named(self, probe: Node, before: GitHubCursor | None) -> str | None:
        """The name under which the settings ask for a repository itself."""
        if before and self._asked(before):
            return before.asked
        name = str(probe["nameWithOwner"]).lower()
        return next((one for one in self._literal if one.lower() == name), None)

    def _is_chosen(self, probe: Node, before: GitHubCursor | None) -> bool:
        """Tell whether a repository fits the patterns, under its name or the one it had."""
        name = str(probe["nameWithOwner"])
        if probe.get("isArchived") and not self._options.archived:
            return False
        if probe.get("isFork") and not self._options.forks:
            return False
        followed = before is not None and self._fits(before.known) and not self._is_left_out(name)
        return self._fits(name) or followed

    def _is_found(self, name: str) -> bool:
        asked = {one.asked for one in self._positions.values()}
        names = {str(probe["nameWithOwner"]).lower() for probe in self._probes.values()}
        return name in asked or name.lower() in names

    def _account(
        self, owner: str, *, is_listed: bool, ids: Sequence[str], open_ids: Sequence[str]
    ) -> None:
        """Looks at what one account owns, in as many requests as it takes."""
        size, after = FULL, None
        try:
            client = self._client(owner)
        except Forbidden as error:  # the App is not installed there
            self.problems[owner] = error
            return
        while is_listed or ids or open_ids:
            now, rest = (ids[:size], open_ids[:size]), (ids[size:], open_ids[size:])
            variables = {"owner": owner, "list": is_listed, "first": size, "after": after}
            variables |= {"ids": now[0], "open": now[1], **_flags(self._options)}
            try:
                answer = client.query(queries.LOOK, variables, halves=size > 1)
            except TooHeavy:
                if size == 1:
                    raise
                size //= 2
                continue
            except (Gone, Forbidden) as error:
                answer = _nothing(error, now, is_listed=is_listed)
            after = self._listed(owner, answer) if is_listed else None
            is_listed = after is not None
            self._known(now[0], answer)
            self._opened(now[1], answer)
            ids, open_ids = rest

    def _listed(self, owner: str, answer: GraphQLResult) -> str | None:
        """Notes an owner's repositories; GitHub's cursor if more follow."""
        listed = (answer.data.get("repositoryOwner") or {}).get("repositories")
        if not listed:
            why = [one for one in answer.missing if one.path[:1] == ("repositoryOwner",)]
            self.problems[owner] = _problem(owner, why[0] if why else None)
            return None
        for probe in listed.get("nodes") or ():
            if probe:
                self._probes[probe["id"]] = probe
        info = listed.get("pageInfo") or {}
        return info.get("endCursor") if info.get("hasNextPage") else None

    def _known(self, ids: Sequence[str], answer: GraphQLResult) -> None:
        """Notes repositories that were asked for by their ids."""
        given = answer.data.get("known") or [None] * len(ids)
        why = _reasons(answer, "known")
        for place, (id_, probe) in enumerate(zip(ids, given, strict=False)):
            if probe:
                self._probes[id_] = probe
                continue
            reason = why.get(place)
            if self._insisting or (reason and reason.kind in _FINAL):
                name = self._positions[id_].name
                self.problems[name] = _problem(name, reason)

    def _opened(self, ids: Sequence[str], answer: GraphQLResult) -> None:
        given = answer.data.get("open") or [None] * len(ids)
        why = _reasons(answer, "open")
        gone = {place for place, reason in why.items() if reason.kind == _NOT_FOUND}
        for place, (id_, node) in enumerate(zip(ids, given, strict=False)):
            if node or place in gone:
                self.open[id_] = instant((node or {}).get("updatedAt"))

    def _find(self, names: Sequence[str]) -> None:
        """Looks at repositories that are asked for by name for the first time."""
        for owner in sorted({_owner(name).lower() for name in names}):
            mine = [name for name in names if _owner(name).lower() == owner]
            for at in range(0, len(mine), queries.NAMES_AT_ONCE):
                self._find_some(owner, mine[at : at + queries.NAMES_AT_ONCE])

    def _find_some(self, owner: str, names: Sequence[str]) -> None:
        variables: dict[str, Any] = dict(_flags(self._options))
        for at, name in enumerate(names):
            variables[f"owner{at}"], _, variables[f"name{at}"] = name.partition("/")
        try:
            answer = self._client(owner).query(queries.find(len(names)), variables)
        except (Gone, Forbidden) as error:
            self.problems |= dict.fromkeys(names, error)
            return
        why = {str(one.path[0]): one for one in answer.missing if one.path}
        for at, name in enumerate(names):
            if probe := answer.data.get(f"r{at}"):
                self._probes[probe["id"]] = probe
            else:
                self.problems[name] = _problem(name, why.get(f"r{at}"))

    def _follow(self) -> None:
        """Looks for repositories that were there before and are missing now."""
        self._insisting = True
        lost = [
            one
            for one in self._wanted()
            if one.id not in self._probes
            and one.name not in self.problems
            and _owner(one.name) not in self.problems
        ]
        for owner in sorted({_owner(one.name) for one in lost}):
            ids = [one.id for one in lost if _owner(one.name) == owner]
            self._account(owner, is_listed=False, ids=ids, open_ids=())


def _reasons(answer: GraphQLResult, name: str) -> dict[int, Missing]:
    """The reasons why items of a list are missing, by their places in it."""
    return {
        one.path[1]: one
        for one in answer.missing
        if len(one.path) == 2 and one.path[0] == name and isinstance(one.path[1], int)
    }


def _owner(name: str) -> str:
    return name.partition("/")[0]


def _flags(options: Options) -> dict[str, bool]:
    """The parts of repositories that are to be looked at."""
    kinds = {rule.kind for rule in options.deployments}
    lists = (DEPLOYMENTS, RELEASES, TAGS)
    return {"issues": bool(options.incidents)} | {name: RULES[name] in kinds for name in lists}


def _nothing(
    error: SourceProblem, asked: tuple[Sequence[str], Sequence[str]], *, is_listed: bool
) -> GraphQLResult:
    """The answer where all that was asked for was refused."""
    kind = _NOT_FOUND if isinstance(error, Gone) else "FORBIDDEN"
    places: list[tuple[str | int, ...]] = [("repositoryOwner",)] if is_listed else []
    places += [("known", at) for at in range(len(asked[0]))]
    places += [("open", at) for at in range(len(asked[1]))]
    missing = tuple(Missing(path=path, kind=kind, message=str(error)) for path in places)
    return GraphQLResult(data={}, missing=missing)


def _problem(name: str, why: Missing | None) -> SourceProblem:
    if why is None or why.kind == _NOT_FOUND:
        return Gone(f"{name} is not on GitHub, or this token may not see it")
    kind = Forbidden if why.kind in _FINAL else TooHeavy
    return kind(why.message)
