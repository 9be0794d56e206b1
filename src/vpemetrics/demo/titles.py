"""The titles that people gave their changes and incidents."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from vpemetrics.demo.dice import Dice
from vpemetrics.records import AnyRecord, AuthorKind, Change, Incident

WORK: Final = (
    "Ask for the address only once",
    "Show the total before the last step",
    "Drop a column that nobody reads",
    "Retry once when the first answer is late",
    "Keep the filter when the page is turned",
    "Log the order number with every refusal",
    "Split the nightly job in two",
    "Round prices in one place",
    "Let the cache forget after an hour",
    "Translate the error pages",
    "Answer empty searches with suggestions",
    "Move the settings out of the code",
    "Count retries apart from attempts",
    "Check the signature before the body",
    "Take the feature flag of last month out",
    "Send one message instead of three",
    "Name the queue after what it holds",
    "Index orders by day",
    "Stop polling when the tab is hidden",
    "Say why a voucher was refused",
    "Read the limits from the configuration",
    "Speed up the slowest query of the week",
    "Write the export as it is read",
    "Close the connection when nobody listens",
)
LIBRARIES: Final = ("http-client", "json-reader", "date-picker", "test-runner", "image-base")
TROUBLE: Final = (
    "error rate above 2 %",
    "answers take longer than 3 s",
    "the queue is growing",
    "wrong totals are shown",
    "some requests are refused",
    "memory runs out every hour",
    "no new orders for ten minutes",
    "pages stay empty",
)


def add_titles(records: Iterable[AnyRecord]) -> Iterator[AnyRecord]:
    """The records, with titles for changes and incidents that have none."""
    dice, of_changes = Dice("titles"), dict[str, str]()
    for record in records:
        match record:
            case Change():
                title = _of_change(record, of_changes, dice)
                of_changes[record.id] = title
                yield replace(record, title=title)
            case Incident(title=None):
                where = ", ".join(record.service) or "somewhere"
                yield replace(record, title=f"{where}: {dice.choice(TROUBLE)}")
            case _:
                yield record


def _of_change(change: Change, known: dict[str, str], dice: Dice) -> str:
    if change.reverts:
        return f'Revert "{known[change.reverts[0]]}"'
    if change.closes:
        return f"Mend the cause of {change.closes[0]}"
    if change.author_kind is AuthorKind.AUTOMATION:
        version = dice.randrange(20)
        return f"Bump {dice.choice(LIBRARIES)} from 4.{version}.1 to 4.{version + 1}.0"
    title = dice.choice(WORK)
    return f"Hotfix: {title[0].lower()}{title[1:]}" if "hotfix" in change.labels else title
