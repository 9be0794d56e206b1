"""The store that a command reads, and what else a clone without a configuration is read with."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from vpemetrics.cli.session import Session
from vpemetrics.errors import FixInput, NoData, StoreProblem

if TYPE_CHECKING:
    from vpemetrics.config.load import Configuration
    from vpemetrics.config.sources import Source
    from vpemetrics.config.stores import StoreChoice
    from vpemetrics.rules import Rules
    from vpemetrics.store import Store


@contextmanager
def existing_store(
    session: Session, configuration: "Configuration", *, at_length: bool = False
) -> Iterator["Store"]:
    """The store to read, open. NoData says what to do first where there is nothing in it.

    What is assumed of a clone without a configuration is said in a line, or `at_length`.
    """
    from vpemetrics.store import Store
    from vpemetrics.usecases.audit import note_trust

    choice = session.choose_store(configuration)
    session.note(str(choice))
    try:
        store = Store.open(choice.location, must_exist=not choice.of_clone)
    except NoData:
        raise _no_data(session, configuration, choice) from None
    except OSError as error:
        raise _no_store(choice, error) if choice.of_clone else error from None
    with store:
        if choice.of_clone:
            from vpemetrics.cli.clone import ASSUMED, ASSUMED_IN_SHORT, bring_in

            assumed = ASSUMED if at_length else ASSUMED_IN_SHORT
            bring_in(session, store, configuration.rules(), assumed)
        if not store.batch():
            raise _no_data(session, configuration, choice)
        if at_length:
            _tell_of_stranger(session, configuration, store)
        _forget_future(session, store)
        note_trust(store, configuration.path, os.environ)
        yield store


def _forget_future(session: Session, store: "Store") -> None:
    """Let no wrong clock decide which week is the last; who may not write, is told at least."""
    from vpemetrics.usecases.impossible_times import covered_too_far

    with suppress(StoreProblem):
        if latest := store.forget_future(datetime.now(UTC)):
            session.warn(covered_too_far(latest))


def sources_to_read(session: Session, configuration: "Configuration") -> list["Source"]:
    """The sources that can be collected: the configured ones; a clone without any is its own."""
    from vpemetrics.config.sources import clone_as_source, configured_sources

    if session.choose_store(configuration).of_clone:
        return [clone_as_source(Path.cwd())]
    return configured_sources(configuration)


def rules_in_force(session: Session, configuration: "Configuration", store: "Store") -> "Rules":
    """The rules of the configuration; a clone without any goes by its repository's name."""
    rules = configuration.rules()
    if not session.choose_store(configuration).of_clone:
        return rules
    from vpemetrics.cli.clone import name_after_repository

    return name_after_repository(rules, store)


def _no_data(session: Session, configuration: "Configuration", choice: "StoreChoice") -> NoData:
    if choice.other:
        return NoData(
            f"this clone's store holds nothing yet, but there is one at {choice.other}\n"
            f"Read that one with --store {choice.other}"
        )
    if choice.of_clone:
        return NoData("there is nothing in this clone to report on yet")
    from vpemetrics.config.stores import lies_above_clone

    how = "collect" if configuration.settings.sources else "import FOLDER"
    init = ""
    if not configuration.path and not session.store:
        init = f", begin with `{session.hint('init')}`, or go to a git clone"
    elif lies_above_clone(configuration):
        init = (
            f"; {configuration.path} is of a folder above this clone,\n"
            f"`{session.hint('init')}` writes one for this clone alone"
        )
    return NoData(
        "there is no data yet in this store\n"
        f"Bring some in with `{session.hint(how)}`{init}; docs/quickstart.md tells how"
    )


def _tell_of_stranger(session: Session, configuration: "Configuration", store: "Store") -> None:
    """Say that the report is about others, where nothing was collected of this clone."""
    from vpemetrics.cli.clone import knows_clone
    from vpemetrics.config.stores import lies_above_clone

    if lies_above_clone(configuration) and not knows_clone(store):
        session.note(
            "nothing of this clone is in it: that vpemetrics.toml is of a folder above;",
            f"`{session.hint('init')}` writes one for this clone alone",
        )


def _no_store(choice: "StoreChoice", error: OSError) -> FixInput:
    """A clone that is somebody else's, or read-only, holds no store of ours."""
    return FixInput(
        f"{choice.location}: {error.strerror}, so this clone cannot keep a store\n"
        "Read it into one elsewhere with `vpemetrics collect --store PATH`,\n"
        "and report from that with `vpemetrics report --store PATH`"
    )
