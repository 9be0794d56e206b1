"""The mistakes that no single setting knows of: names given twice, or undeclared, and secrets.

These look at the raw document, so that they speak up beside the mistakes of single settings.
Whatever has the wrong shape is passed over here; the model reports it.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from vpemetrics.config.lines import KeyPath
from vpemetrics.config.messages import Mistake, misfit
from vpemetrics.config.secrets import HOW_TO, LITERAL, is_literal, is_reference, is_secret_key
from vpemetrics.metrics.registry import find as find_metric
from vpemetrics.names import name_key, nearest

_PATHS: Final = ("store", "output", "file", "path", "clones")

Document = dict[str, Any]


def contradictions(document: Document) -> Iterator[Mistake]:
    """Every mistake that takes more than one setting, or none in particular, to see."""
    for check in _CHECKS:
        yield from check(document)


def _services_named_twice(document: Document) -> Iterator[Mistake]:
    first: dict[str, int] = {}
    for index, service in _tables(document, "service"):
        name = service.get("name")
        if isinstance(name, str) and first.setdefault(name_key(name), index) != index:
            yield misfit(
                ("service", index, "name"),
                name,
                f"a name of its own (service[{first[name_key(name)] + 1}] has this one)",
            )


def _overlapping_targets(document: Document) -> Iterator[Mistake]:
    first: dict[tuple[str, str], int] = {}
    for index, target in _tables(document, "target"):
        metric, scope = find_metric(str(target.get("metric"))), name_key(str(target.get("scope")))
        if metric and first.setdefault((metric.name, scope), index) != index:
            yield misfit(
                ("target", index, "metric"),
                target["metric"],
                "one target for a metric and scope; it can have both at_least and at_most "
                f"(target[{first[metric.name, scope] + 1}] is another)",
            )


def _undeclared_scopes(document: Document) -> Iterator[Mistake]:
    services = [service for _, service in _tables(document, "service")]
    names = [f"service:{s['name']}" for s in services if isinstance(s.get("name"), str)]
    teams = sorted({f"team:{s['team']}" for s in services if isinstance(s.get("team"), str)})
    declared = dict.fromkeys([*names, *teams])
    for kind in ("target", "step"):
        for index, table in _tables(document, kind):
            scope = table.get("scope")
            if not isinstance(scope, str) or not scope.startswith(("service:", "team:")):
                continue
            if name_key(scope) not in map(name_key, declared):
                yield misfit(
                    (kind, index, "scope"),
                    scope,
                    "a service or team that a [[service]] table declares",
                    nearest(scope, declared),
                )


def _literal_secrets(document: Document) -> Iterator[Mistake]:
    for path, text in _texts(document, ()):
        if is_literal(text) or (_holds_a_secret(path) and not is_reference(text)):
            yield Mistake(path=path, problem=f"{LITERAL}; {HOW_TO}")


def _texts_that_are_none(document: Document) -> Iterator[Mistake]:
    for path, text in _texts(document, ()):
        names = path[1:2] if path[0] == "sources" else ()
        if "\0" in "".join(map(str, (*names, text if path[-1] in _PATHS else ""))):
            yield Mistake(path=path, problem="a NUL is in it, which no path and no source can have")


def _holds_a_secret(path: KeyPath) -> bool:
    return path[0] == "sources" and len(path) > 2 and is_secret_key(str(path[-1]))


def _texts(value: object, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    match value:
        case str():
            yield path, value
        case dict():
            for key, inner in value.items():
                yield from _texts(inner, (*path, key))
        case list():
            for index, inner in enumerate(value):
                yield from _texts(inner, (*path, index))


def _tables(document: Document, name: str) -> Iterator[tuple[int, Document]]:
    tables = document.get(name)
    for index, table in enumerate(tables if isinstance(tables, list) else ()):
        if isinstance(table, dict):
            yield index, table


_CHECKS: Final[tuple[Callable[[Document], Iterator[Mistake]], ...]] = (
    _services_named_twice,
    _overlapping_targets,
    _undeclared_scopes,
    _literal_secrets,
    _texts_that_are_none,
)
