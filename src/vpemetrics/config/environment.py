"""`VPEMETRICS_…` variables, which stand above the file for settings of a single value."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from vpemetrics.config.model import settings, single_settings
from vpemetrics.config.secrets import is_literal
from vpemetrics.names import nearest_few

PREFIX: Final = "VPEMETRICS_"


def variable(setting: str) -> str:
    """The variable that stands above a setting: `VPEMETRICS_ORGANISATION_TIMEZONE`."""
    return PREFIX + setting.replace(".", "_").upper()


def override(
    document: dict[str, Any], environ: Mapping[str, str]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The document with the environment's values in it, and the settings that came from there.

    An empty variable counts as not set.
    """
    given = tuple(name for name in single_settings() if environ.get(variable(name)))
    for setting in given:
        document = _with(document, setting, _value(setting, environ))
    return document, given


def misnamed_settings(document: dict[str, Any], environ: Mapping[str, str]) -> Iterator[str]:
    """One message for each variable that means to be a setting and is none.

    Others are nobody's business, and those the file refers to are secrets.
    """
    settable = [variable(name) for name in single_settings()]
    lists = {variable(name): name for name in settings() if name not in single_settings()}
    unknown = set(environ) - set(settable) - set(_references(document))
    for name in sorted(name for name in unknown if name.startswith(PREFIX)):
        near = nearest_few(name.removeprefix(PREFIX), _bare(settable), most=1, likeness=0.8)
        if name in lists:
            yield f"{name}: {lists[name]} can be set in the file only"
        elif near:
            yield f"{name}: unknown setting; did you mean {PREFIX}{near[0]}?"


def _value(setting: str, environ: Mapping[str, str]) -> str:
    value = environ[variable(setting)]
    return f"env:{variable(setting)}" if setting == "store" and is_literal(value) else value


def _with(document: dict[str, Any], setting: str, value: str) -> dict[str, Any]:
    table, _, key = setting.rpartition(".")
    if not table:
        return document | {key: value}
    inside = document.get(table, {})
    return document | {table: inside | {key: value}} if isinstance(inside, dict) else document


def _bare(names: list[str]) -> list[str]:
    return [name.removeprefix(PREFIX) for name in names]


def _references(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value.removeprefix("env:")
        case dict():
            for inner in value.values():
                yield from _references(inner)
        case list():
            for inner in value:
                yield from _references(inner)
