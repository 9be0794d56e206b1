"""Keeping what was derived in step with the facts and the rules.

Most readers find that it is, and load nothing of what traces services.
"""

from collections.abc import Callable

from vpemetrics.rules import Rules
from vpemetrics.store import Store, derived
from vpemetrics.store.saving import last_batch
from vpemetrics.usecases.audit import note_settings
from vpemetrics.usecases.lineage_rules import lineage_digest

Progress = Callable[[int, int], None]


def bring_up_to_date(store: Store, rules: Rules, progress: Progress | None = None) -> int:
    """Trace every service that new facts or changed rules touch; returns how many there were.

    One transaction; nothing is read or written when no fact is newer and no rule changed.
    """
    note_settings(store, rules)
    if is_current(store, rules):
        return 0

    from vpemetrics.store.history import Facts
    from vpemetrics.usecases.trace_services import LineageUpdate

    with store.transaction() as connection:
        update = LineageUpdate(Facts(connection, rules), rules)
        for done, _ in enumerate(update.run(), 1):
            if progress:
                progress(done, len(update.stale))
        derived.save_mark(connection, last_batch(connection), lineage_digest(rules))
    return len(update.stale)


def is_current(store: Store, rules: Rules) -> bool:
    """Tell whether lineage has seen every save, under these rules."""
    return store.lineage_mark() == (store.batch(), lineage_digest(rules))


def recompute(store: Store, rules: Rules, progress: Progress | None = None) -> int:
    """Forget all that was derived and trace every service anew."""
    with store.transaction() as connection:
        derived.forget(connection)
        derived.forget_mark(connection)
    return bring_up_to_date(store, rules, progress)
