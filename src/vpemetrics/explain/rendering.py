"""An explanation as text for a terminal, or as JSON."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from vpemetrics.explain.model import Entry, Explanation, Fact, RecordGroup
from vpemetrics.metrics.figures import Figure, Unit
from vpemetrics.reports import cells, columns, words

NARROWEST: Final = 80
LINES: Final = 40
FEWEST_SHOWN: Final = 3


def render_json(explanation: Explanation) -> bytes:
    """The explanation as UTF-8 JSON, with a newline at the end."""
    return explanation.model_dump_json(indent=2).encode() + b"\n"


def render(explanation: Explanation, *, width: int = NARROWEST, complete: bool = False) -> str:
    """The explanation as text of at most `width` columns (80 at least), about 40 lines long.

    What did not fit is counted; `complete` leaves nothing out.
    """
    text = _Layout(explanation, max(width, NARROWEST))
    fixed = [text.head(), text.facts(), text.arithmetic(), text.curve(complete=complete)]
    hints = text.hints()
    used = sum(len(block) + 1 for block in (*fixed, hints) if block)
    room = None if complete else LINES - used
    blocks = (block for block in (*fixed, *text.groups(room), hints) if block)
    return "\n".join("".join(f"{line}\n" for line in block) for block in blocks)


class _Layout:
    """Blocks of lines, each of which fits the width."""

    def __init__(self, explanation: Explanation, width: int) -> None:
        self._of = explanation
        self._width = width
        self._zone = ZoneInfo(explanation.zone)
        figure = explanation.figure
        self._year = (figure.window.end - timedelta(days=1)).year if figure else None
        covered = figure.coverage if figure else None
        self._several = covered is None or covered.of > 1

    def head(self) -> list[str]:
        clock = "" if self._of.figure else f" (times in {self._of.zone})"
        title = columns.wrap(columns.plain(self._of.title) + clock, self._width)
        url = [columns.plain(self._of.url)] if self._of.url else []
        said = filter(None, (self._of.choice, self._of.definition))
        return [*title, *url, *(line for text in said for line in self._wrap(text))]

    def facts(self) -> list[str]:
        if not self._of.facts:
            return []
        label = max(columns.width(fact.name) for fact in self._of.facts) + 2
        return [line for fact in self._of.facts for line in self._fact(fact, label)]

    def _fact(self, fact: Fact, label: int) -> list[str]:
        text = f"{self._exact(fact.at)}  {fact.text}".rstrip() if fact.at else fact.text
        lines = columns.wrap(columns.plain(text), self._width - label)
        names = [fact.name, *[""] * (len(lines) - 1)]
        return [columns.left(name, label) + line for name, line in zip(names, lines, strict=True)]

    def arithmetic(self) -> list[str]:
        figure = self._of.figure
        if figure is None:
            return [line for text in self._of.arithmetic for line in self._wrap(text)]
        lines = [_figure_text(figure), *self._of.arithmetic]
        return [line for text in lines for line in self._wrap(text)]

    def curve(self, *, complete: bool) -> list[str]:
        steps = self._of.curve
        if not steps:
            return []
        crossing = next((i for i, s in enumerate(steps) if s.survival <= 0.5), len(steps))
        first, last = (0, len(steps)) if complete else (max(0, crossing - 3), crossing + 3)
        rows = [("lasting t", "still going", "over at t", "share longer than t")]
        rows += [
            (words.duration(s.seconds), str(s.at_risk), str(s.ended), f"S(t) = {s.survival:.4f}")
            for s in steps[first:last]
        ]
        hidden = len(steps) - len(rows) + 1
        more = [f"  … {words.quantity(hidden, 'more step')}"] if hidden else []
        return [*(f"  {line}" for line in columns.align(rows)), *more]

    def groups(self, room: int | None) -> Iterator[list[str]]:
        for at, group in enumerate(self._of.groups):
            later = len(self._of.groups) - at - 1
            own = None if room is None else max(FEWEST_SHOWN, room - later * (FEWEST_SHOWN + 3) - 3)
            block = self._group(group, own)
            if room is not None:
                room -= len(block) + 1
            yield block

    def _group(self, group: RecordGroup, room: int | None) -> list[str]:
        total = len(group.entries)
        shown = range(total) if room is None else _range_shown(group, room)
        lines = self._entries(group, shown)
        while room is not None and len(shown) > FEWEST_SHOWN and len(lines) > room:
            shown = _range_shown(group, len(shown) - max(1, (len(lines) - room) // 2))
            lines = self._entries(group, shown)
        more = []
        if hidden := total - len(shown):
            where = "the middle ones are shown" if group.by_value else "the latest are shown"
            more = [f"  … {words.count(hidden)} more; {where}, --all lists every one"]
        title = columns.wrap(f"{group.title}: {words.count(total)}", self._width)
        return [*title, *lines, *more]

    def _entries(self, group: RecordGroup, places: range) -> list[str]:
        entries = [group.entries[place] for place in places]
        if not entries:
            return []
        ranks = [f"{place + 1}." if group.by_value else "" for place in places]
        named = self._several and not all(map(_names_its_service, entries))
        rows = [
            (rank, *self._row(entry, group, with_service=named))
            for rank, entry in zip(ranks, entries, strict=True)
        ]
        starts, whats = [self._start(entry) for entry in entries], [entry.what for entry in entries]
        texts = _in_columns([(*row, start) for row, start in zip(rows, starts, strict=True)])
        if max(map(columns.width, texts)) > self._width - 2:  # no room for a column of starts
            texts = _in_columns(rows)
            both = zip(starts, whats, strict=True)
            whats = ["; ".join(filter(None, (start, what))) for start, what in both]
        return [
            line
            for text, what, entry in zip(texts, whats, entries, strict=True)
            for line in self._entry(text, columns.plain(what), entry.url)
        ]

    def _row(self, entry: Entry, group: RecordGroup, *, with_service: bool) -> tuple[str, ...]:
        return (
            self._moment(entry.at) if entry.at else "",
            columns.plain(entry.service or "") if with_service else "",
            columns.plain(entry.id[:12] if entry.kind == "commit" else entry.id),
            _value(entry, group.unit),
        )

    def _start(self, entry: Entry) -> str:
        return f"from {self._moment(entry.start_at)}" if entry.start_at else ""

    def _entry(self, text: str, what: str, url: str | None) -> Iterator[str]:
        line = f"  {text}  {what}" if what else f"  {text}"
        if columns.width(line) <= self._width:
            yield line
        else:
            fits = columns.width(text) <= self._width - 2
            pieces = [text] if fits else columns.wrap(text, self._width - 2)
            yield from (f"  {piece}" for piece in pieces)
            yield from (f"      {piece}" for piece in columns.wrap(what, self._width - 6))
        if url:
            yield f"      {columns.plain(url)}"

    def hints(self) -> list[str]:
        return [line for hint in self._of.hints for line in self._wrap(hint)]

    def _wrap(self, text: str) -> list[str]:
        first, *rest = columns.wrap(columns.plain(text), self._width - 2) or [""]
        return [first, *(f"  {line}" for line in rest)]

    def _moment(self, at: datetime | None) -> str:
        if at is None:
            return ""
        there = at.astimezone(self._zone)
        day = words.day(there.date(), year=there.year != self._year)
        return f"{day} {there:%H:%M}"

    def _exact(self, at: datetime) -> str:
        return f"{at.astimezone(self._zone):%Y-%m-%d %H:%M:%S}"


def _in_columns(rows: list[tuple[str, ...]]) -> list[str]:
    """The rows in columns, those left out in which no row says anything."""
    said = [column for column in zip(*rows, strict=True) if any(column)]
    return columns.align(list(zip(*said, strict=True)))


def _range_shown(group: RecordGroup, wanted: int) -> range:
    """The middle of what is in order of value; of what is in order of time the latest."""
    total = len(group.entries)
    count = min(total, max(FEWEST_SHOWN, wanted))
    first = (total - count) // 2 if group.by_value else total - count
    return range(first, first + count)


def _names_its_service(entry: Entry) -> bool:
    service = entry.service or ""
    return service in entry.id or service in entry.what


def _figure_text(figure: Figure) -> str:
    """The figure as reports print it."""
    if figure.metric in words.STAGES and figure.value is not None:
        return f"{words.percent(figure.value)} n={words.count(figure.n or 0)}"
    cell = cells.cell(figure)
    note = f"({cell.note})" if cell.note else ""
    return " ".join(filter(None, (cell.text, cell.value, cell.interval, cell.base, note)))


def _value(entry: Entry, unit: Unit | None) -> str:
    if entry.value is None or unit is None:
        return ""
    said = words.measure(entry.value, unit)
    if entry.total is not None:
        return f"{said} of {words.measure(entry.total, unit)}"
    return f"{said}, open" if entry.open else said
