"""The mistakes of `[sources.NAME]` tables: types nobody has, settings their sources lack."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from vpemetrics.collectors.base import Collector
from vpemetrics.collectors.registry import collector_names, find_collector
from vpemetrics.config.lines import KeyPath
from vpemetrics.config.messages import Mistake, misfit, of_validation, unknown_setting
from vpemetrics.errors import FixConfiguration
from vpemetrics.names import nearest


def source_mistakes(document: Mapping[str, Any]) -> Iterator[Mistake]:
    """The types of sources nobody knows, and the settings their collectors do not take.

    Whatever has the wrong shape is passed over here; the model reports it.
    """
    tables = document.get("sources")
    for name, table in tables.items() if isinstance(tables, dict) else ():
        if isinstance(table, dict) and isinstance(table.get("type"), str):
            yield from _of_source(("sources", name), table)


def options_of(collector: Collector, given: Mapping[str, object]) -> Any:
    """A collector's options under settings in which there is no mistake."""
    return _adapter(collector.options).validate_python(given)


def option_mistakes(
    path: KeyPath, options: type[Any], given: Mapping[str, object]
) -> Iterator[Mistake]:
    """The mistakes in settings given to a collector whose options are this dataclass."""
    known = [field.name for field in fields(options)]
    for key in given:
        if key not in known:
            yield unknown_setting((*path, key), nearest(key, known), known)
    try:
        _adapter(options).validate_python({key: given[key] for key in known if key in given})
    except ValidationError as error:
        yield from of_validation(error, path)


def _adapter(options: type[Any]) -> TypeAdapter[Any]:
    return _adapters()[options]


@cache
def _adapters() -> "_Adapters":
    return _Adapters()


class _Adapters(dict[type[Any], TypeAdapter[Any]]):
    """The checks of options by their class: one takes longer to make than to use."""

    def __missing__(self, options: type[Any]) -> TypeAdapter[Any]:
        self[options] = adapter = TypeAdapter(options)
        return adapter


def _of_source(path: KeyPath, table: Mapping[str, Any]) -> Iterator[Mistake]:
    kind, place = table["type"], (*path, "type")
    try:
        collector = find_collector(kind)
    except FixConfiguration as error:
        yield Mistake(path=place, problem=str(error))
        return
    if collector is None:
        names = collector_names()
        yield misfit(place, kind, f"a type of source: {', '.join(names)}", nearest(kind, names))
        return
    given = {key: value for key, value in table.items() if key != "type"}
    yield from option_mistakes(path, collector.options, given)
