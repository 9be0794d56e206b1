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
from vpemetrics.collectors.github.connections import (
    DEPLOYMENTS,
    FULL,
    RELEASES,
    RULES,
    TAGS,
    check_following,
)
from vpemetrics.collectors.github.cursor import GitHubCursor
from vpemetrics.collectors.github.options import Options
from vpemetrics.collectors.github.repository import RepositoryProbe, check_probe, instant
from vpemetrics.collectors.http import (
    BadAnswer,
    Forbidden,
    Gone,
    Node,
    SourceProblem,
    TooHeavy,
    as_object,
    given,
    name_of,
    part,
    read_shape,
)
from vpemetrics.rules import is_chosen, matches

_NOT_FOUND: Final = "NOT_FOUND"
_FINAL: Final = (_NOT_FOUND, "FORBIDDEN")
"""The failures of what will not be given either when it is asked for again."""


@dataclass(frozen=True, kw_only=True)
class FoundRepositories:
    """The repositories that a search found, and by id what became of open things.

    An open thing that is gone has no time. `problems` are by owner or repository; `bad` tells by
    the names of repositories why these cannot be read.
    """

    probes: Sequence[RepositoryProbe]
    open: Mapping[str, datetime | None]
    problems: Mapping[str, SourceProblem]
    bad: Mapping[str, str]


def find_repositories(
    access: Access, options: Options, cursors: Iterable[GitHubCursor]
) -> FoundRepositories:
    """Find all repositories that are wanted; `cursors` are where they were left."""
    search = _Search(options, cursors, access.client)
    search.run()
    return FoundRepositories(
        probes=search.probes(), open=search.open, problems=search.problems, bad=search.bad
    )


class _Search:
    """A search on its way: what was found so far, and what is to be asked yet."""

    def __init__(
        self,
        options: Options,
        cursors: Iterable[GitHubCursor],
        client: Callable[[str], Client],
    ) -> None:
        self._options = options
        self._cursors = {cursor.id: cursor for cursor in cursors}
        self._client = client
        self._nodes: dict[str, Node] = {}
        self._insisting = False
        names = (name for name in options.repositories if not name.startswith("!"))
        wanted = dict.fromkeys((*names, *options.incidents.repositories))
        self._literal = [name for name in wanted if not set(name) & set("*?")]
        self._owners = {
            _owner(name).lower(): _owner(name) for name in wanted if name not in self._literal
        }
        self.open: dict[str, datetime | None] = {}
        self.problems: dict[str, SourceProblem] = {}
        self.bad: dict[str, str] = {}

    def run(self) -> None:
        """Ask for everything."""
        accounts = {**self._owners}
        for cursor in self._wanted_cursors():
            accounts.setdefault(_owner(cursor.name).lower(), _owner(cursor.name))
        for small, owner in sorted(accounts.items()):
            cursors = [
                cursor for cursor in self._wanted_cursors() if _owner(cursor.name).lower() == small
            ]
            self._search_account(
                owner,
                is_listed=small in self._owners,
                ids=[
                    cursor.id
                    for cursor in cursors
                    if self._is_asked(cursor) or small not in self._owners
                ],
                open_ids=[
                    id_
                    for cursor in cursors
                    for id_, item in cursor.open.items()
                    if item.updated_at
                ],
            )
        self._find_names([name for name in self._literal if not self._is_found(name)])
        self._follow_lost()

    def probes(self) -> list[RepositoryProbe]:
        """The repositories that are to be collected, as they were found."""
        taken = {cursor.known.lower() for cursor in self._cursors.values()}
        found = []
        for id_, node in self._nodes.items():
            cursor = self._cursors.get(id_)
            asked = self._asked_name(node, cursor)
            if not asked and not self._is_chosen(node, cursor):
                continue
            name = _name(node)
            # A name that another repository had before stays that one's in the records.
            fresh = name if name.lower() not in taken else f"{name}:{id_}"
            known = cursor.known if cursor else fresh
            found.append(RepositoryProbe(node=node, known=known, asked=asked, account=_owner(name)))
        return sorted(found, key=lambda probe: probe.name.lower())

    def _wanted_cursors(self) -> list[GitHubCursor]:
        """The cursors of repositories that were collected before and still are to be."""
        return [
            cursor
            for cursor in self._cursors.values()
            if self._is_asked(cursor)
            or (self._fits(cursor.known) and not self._is_left_out(cursor.name))
            or self._fits(cursor.name)
        ]

    def _is_asked(self, cursor: GitHubCursor) -> bool:
        return cursor.asked in self._literal if cursor.asked else False

    def _fits(self, name: str) -> bool:
        return is_chosen(name, self._options.repositories)

    def _is_left_out(self, name: str) -> bool:
        patterns = self._options.repositories
        return matches(name, [pattern[1:] for pattern in patterns if pattern.startswith("!")])

    def _asked_name(self, node: Node, cursor: GitHubCursor | None) -> str | None:
        """The name under which the settings ask for a repository itself."""
        if cursor and self._is_asked(cursor):
            return cursor.asked
        small = _name(node).lower()
        return next((name for name in self._literal if name.lower() == small), None)

    def _is_chosen(self, node: Node, cursor: GitHubCursor | None) -> bool:
        """Tell whether a repository fits the patterns, under its name or the one it had."""
        name = _name(node)
        if node.get("isArchived") and not self._options.archived:
            return False
        if node.get("isFork") and not self._options.forks:
            return False
        followed = cursor is not None and self._fits(cursor.known) and not self._is_left_out(name)
        return self._fits(name) or followed

    def _is_found(self, name: str) -> bool:
        asked = {cursor.asked for cursor in self._cursors.values()}
        names = {_name(node).lower() for node in self._nodes.values()}
        return name in asked or name.lower() in names

    def _search_account(
        self, owner: str, *, is_listed: bool, ids: Sequence[str], open_ids: Sequence[str]
    ) -> None:
        """Ask for what one account owns, in as many requests as it takes."""
        size, after, seen = FULL, None, set[str]()
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
            except BadAnswer as bad:
                self.problems[owner] = bad
                return
            except (Gone, Forbidden) as error:
                answer = _nothing(error, now, is_listed=is_listed)
            try:
                after = self._note_listed(owner, answer) if is_listed else None
                check_following(after, seen)
                self._note_known(now[0], answer)
                self._note_open(now[1], answer)
            except (BadAnswer, TooHeavy) as bad:
                self.problems[owner] = bad
                return
            is_listed = after is not None
            ids, open_ids = rest

    def _note_listed(self, owner: str, answer: GraphQLResult) -> str | None:
        """Note an owner's repositories; GitHub's cursor if more follow."""
        listed = self._listed(owner, answer)
        if not listed:
            reasons = (gap for gap in answer.missing if gap.path[:1] == ("repositoryOwner",))
            self.problems[owner] = _problem(owner, next(reasons, None))
            return None
        nodes, after = listed
        for node in nodes:
            self._note_node(node, owner)
        return after

    def _listed(self, owner: str, answer: GraphQLResult) -> tuple[list[Node], str | None] | None:
        """The repositories on a page of an owner's, and GitHub's cursor if more follow."""

        def read() -> tuple[list[Node], str | None] | None:
            listed = part(part(answer.data, "repositoryOwner"), "repositories")
            info = part(listed, "pageInfo")
            after = given(info, "endCursor", str) if info.get("hasNextPage") else None
            return (given(listed, "nodes", list) or [], after) if listed else None

        return read_shape(read, server="GitHub", about=f"the repositories of {owner}")

    def _note_node(self, node: object, place: str, known: str | None = None) -> None:
        """Note a repository, if it can be gone by; one that is `known` has that name else."""
        if node is None:
            return
        name = node.get("nameWithOwner") if isinstance(node, dict) else None
        about = name if isinstance(name, str) and name else name_of(node, "a repository", place)
        try:
            checked = read_shape(
                lambda: check_probe(as_object(node, "it")), server="GitHub", about=about
            )
        except BadAnswer as bad:
            self.bad[known or about] = str(bad)
        else:
            self._nodes[checked["id"]] = checked

    def _note_known(self, ids: Sequence[str], answer: GraphQLResult) -> None:
        """Note repositories that were asked for by their ids."""
        found = _nodes(answer, "known", ids)
        reasons = _reasons(answer, "known")
        for place, (id_, node) in enumerate(zip(ids, found, strict=False)):
            if node:
                self._note_node(node, "GitHub", self._cursors[id_].name)
                continue
            reason = reasons.get(place)
            if self._insisting or (reason and reason.kind in _FINAL):
                name = self._cursors[id_].name
                self.problems[name] = _problem(name, reason)

    def _note_open(self, ids: Sequence[str], answer: GraphQLResult) -> None:
        """Note what became of open things."""
        found = _nodes(answer, "open", ids)
        reasons = _reasons(answer, "open")
        gone = {place for place, reason in reasons.items() if reason.kind == _NOT_FOUND}
        for place, (id_, node) in enumerate(zip(ids, found, strict=False)):
            if node or place in gone:  # what is odd about it is told when it is fetched
                self.open[id_] = instant(node.get("updatedAt")) if isinstance(node, dict) else None

    def _find_names(self, names: Sequence[str]) -> None:
        """Ask for repositories by their names, for the first time."""
        for owner in sorted({_owner(name).lower() for name in names}):
            owned = [name for name in names if _owner(name).lower() == owner]
            for at in range(0, len(owned), queries.NAMES_AT_ONCE):
                self._find_some(owner, owned[at : at + queries.NAMES_AT_ONCE])

    def _find_some(self, owner: str, names: Sequence[str]) -> None:
        variables: dict[str, Any] = dict(_flags(self._options))
        for at, name in enumerate(names):
            variables[f"owner{at}"], _, variables[f"name{at}"] = name.partition("/")
        try:
            answer = self._client(owner).query(queries.find(len(names)), variables)
        except SourceProblem as error:
            if error.concerns_all:
                raise
            self.problems |= dict.fromkeys(names, error)
            return
        reasons = {str(gap.path[0]): gap for gap in answer.missing if gap.path}
        for at, name in enumerate(names):
            if node := answer.data.get(f"r{at}"):
                self._note_node(node, name, name)
            else:
                self.problems[name] = _problem(name, reasons.get(f"r{at}"))

    def _follow_lost(self) -> None:
        """Ask by id for repositories that were there before and are missing now."""
        self._insisting = True
        lost = [
            cursor
            for cursor in self._wanted_cursors()
            if cursor.id not in self._nodes
            and cursor.name not in self.problems
            and _owner(cursor.name) not in self.problems
        ]
        for owner in sorted({_owner(cursor.name) for cursor in lost}):
            ids = [cursor.id for cursor in lost if _owner(cursor.name) == owner]
            self._search_account(owner, is_listed=False, ids=ids, open_ids=())


def _reasons(answer: GraphQLResult, name: str) -> dict[int, Missing]:
    """The reasons why items of a list are missing, by their places in it."""
    return {
        gap.path[1]: gap
        for gap in answer.missing
        if len(gap.path) == 2 and gap.path[0] == name and isinstance(gap.path[1], int)
    }


def _nodes(answer: GraphQLResult, key: str, ids: Sequence[str]) -> Sequence[Any]:
    found = read_shape(
        lambda: given(answer.data, key, list), server="GitHub", about="what is known by its id"
    )
    return found or [None] * len(ids)


def _name(node: Node) -> str:
    return str(node["nameWithOwner"])


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
