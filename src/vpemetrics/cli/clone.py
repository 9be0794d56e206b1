"""A git clone without a configuration: it is its own source, and what is assumed of it is said."""

from dataclasses import replace
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Final

from vpemetrics.cli.collecting import collect_source
from vpemetrics.cli.session import Session
from vpemetrics.errors import FixInput, VpemetricsError
from vpemetrics.records import Repository
from vpemetrics.rules import Rules

if TYPE_CHECKING:
    from vpemetrics.store import Store

ASSUMED: Final = (
    "there is no vpemetrics.toml, so version tags are taken for deployments to\n"
    "production, and what merge and squash commits call pull requests for changes;\n"
    "git knows no reviews and no incidents, so there is no fail rate, and\n"
    "docs/collectors.md tells what does; `{init}` writes one to begin with"
)


ASSUMED_IN_SHORT: Final = "there is no vpemetrics.toml, so version tags are taken for deployments"


def bring_in(session: Session, store: "Store", rules: "Rules", assumed: str) -> None:
    """Save what is new in the clone around the working directory, saying what is `assumed`.

    Where that fails, what was read earlier is good enough to go on with; FixInput without any.
    """
    from vpemetrics.config.sources import clone_as_source

    init = session.hint("init")
    session.note(*(line.format(init=init) for line in assumed.split("\n")))
    # While git is at work there is time to import what a report takes.
    Thread(target=import_module, args=("vpemetrics.usecases.reporting",), daemon=True).start()
    result = collect_source(session, store, clone_as_source(Path.cwd()), rules)
    if result.bug:
        raise result.bug
    if result.error and not store.batch():
        raise FixInput(result.error)
    if result.error:
        session.warn(f"this clone could not be read again: {result.error}")


def find_commit(name: str) -> str | None:
    """The sha of what the clone around the working directory calls so, as HEAD or a branch."""
    from vpemetrics.collectors.git.commands import Git

    revision = f"{name}^{{commit}}"
    found = Git(path=Path.cwd()).attempt(
        "rev-parse", "--verify", "--quiet", "--end-of-options", revision
    )
    return found.strip() if found else None


def knows_clone(store: "Store") -> bool:
    """Tell whether the repository of the clone around the working directory was collected."""
    from vpemetrics.collectors.git.clone import origin_of
    from vpemetrics.collectors.git.commands import Git

    try:
        name = origin_of(Git(path=Path.cwd())).name.casefold()
    except VpemetricsError:  # git is gone, or cannot read it: nobody knows better
        return True
    known = (record for _, record in store.records(Repository.KIND))
    return any(
        name in (named.casefold() for named in (record.name, *record.aliases))
        for record in known
        if isinstance(record, Repository)
    )


def name_after_repository(rules: Rules, store: "Store") -> Rules:
    """The rules under the clone's name, where nothing else names the organisation."""
    names = [
        record.name
        for _, record in store.records(Repository.KIND)
        if isinstance(record, Repository)
    ]
    if rules.organisation != Rules().organisation or not names:
        return rules
    return replace(rules, organisation=names[0])
