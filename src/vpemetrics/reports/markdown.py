"""The report as Markdown, for wikis, pull requests and chats: the page without its pictures."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from vpemetrics.reports import columns, content, signal_words, words
from vpemetrics.reports.cells import Cell
from vpemetrics.reports.model import Problem, Report

FAILURES_SHOWN: Final = 6
PROBLEMS_SHOWN: Final = 4
_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]<>#|~$])")
_LEADING: Final = re.compile(r"^(\d+)([.)])|^([-+])(?= )")


def render(report: Report) -> bytes:
    """The report as UTF-8 Markdown with tables as GitHub has them, a newline at the end."""
    blocks = (block(report) for block in _BLOCKS)
    return ("\n\n".join(filter(None, blocks)) + "\n").encode()


def _head(report: Report) -> str:
    facts = [*content.longer_window_note(report), content.data_age(report)]
    coverage = " · ".join(content.coverage(report))
    whose = " · ".join(content.scope_names(report, content.WIDE))
    return "\n".join(
        (
            f"# {plain(whose)} · {plain(content.dated_window(report))}",
            "",
            f"{plain(' · '.join(facts))}\\",
            f"Coverage: {plain(coverage)}",
        )
    )


def _headline(report: Report) -> str:
    return f"**{plain(report.summary)}**"


def _table(report: Report) -> str:
    shown = content.shown_columns(report)
    rows = list(content.rows(report, shown))
    if not any(content.says_something(row) for row in rows):
        return "No figures for this window; `vpemetrics status` shows what was collected."
    judged = any(row.usual or row.signal for row in rows)
    margin = [heading for heading in content.margin(report) if heading] if judged else []
    headings = ["Metric", *(column.heading for column in shown), *margin]
    lines = [_line(row, len(headings), len(margin)) for row in rows]
    told = [("Targets", text) for text in signal_words.targets(report)]
    told.append(("Reliability", report.reliability or "not provided"))
    lines += [_pad([f"**{name}**", plain(text)], len(headings)) for name, text in told]
    return _set(headings, lines)


def _line(row: content.Row, width: int, margin: int) -> list[str]:
    label = f"**{plain(row.label)}**" if not row.level else plain(row.label)
    indent = "\u2003" * max(row.level - 1, 0)
    beside = [row.usual, row.signal][2 - margin :] if row.cells else []
    texts = [plain(row.across)] if row.across else [*map(_cell, row.cells), *map(plain, beside)]
    return _pad([indent + label, *texts], width)


def _cell(said: Cell) -> str:
    if said.text:
        return plain(said.text)
    value = f"**{plain(said.value)}**" if said.value else ""
    return " ".join(filter(None, (value, plain(said.interval), plain(said.base))))


def _pad(texts: Sequence[str], width: int) -> list[str]:
    return [*texts, *[""] * (width - len(texts))]


def _set(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [map(plain, headings), ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _details(report: Report) -> str:
    *_, column = content.shown_columns(report)
    told = [(label, told(report, column)) for label, told in content.DETAILS]
    lines = [f"- **{label}:** {plain(' · '.join(pieces))}" for label, pieces in told if pieces]
    return "\n".join([f"## In detail, {plain(column.name)}", "", *lines]) if lines else ""


def _failures(report: Report) -> str:
    shown = content.failures(report)[:FAILURES_SHOWN]
    rows = [[plain(text) for text in content.failure(report, row)] for row in shown]
    table = [_set(content.FAILURE_HEADINGS, rows)] if rows else []
    rest = [plain(line) for line in content.failure_notes(report, len(shown))]
    return "\n\n".join(["## Failed deployments", *table, *rest])


def _exceptions(report: Report) -> str:
    lines = (f"- {plain(line)}" for line in content.exceptions(report))
    levels = (
        f"\n{plain(signal_words.new_level(level))} {signal_words.DECLARE}\n\n{_fence(level.step)}"
        for level in report.new_levels
    )
    return "\n".join(["## Exceptions", "", *lines, *levels])


def _fence(code: str) -> str:
    fence = "`" * max(3, _longest_run(code) + 1)
    return f"{fence}toml\n{code}\n{fence}"


def _problems(report: Report) -> str:
    worst = sorted(report.problems, key=lambda problem: -problem.count)[:PROBLEMS_SHOWN]
    lines = [_problem(problem) for problem in worst]
    return "\n".join(["## Problems in the data, all of it", "", *lines]) if lines else ""


def _problem(problem: Problem) -> str:
    examples = content.examples(problem)
    text = f"{words.count(problem.count)} {words.reason(problem.reason, problem.count)}"
    remedy = f" → {plain(problem.remedy)}" if problem.remedy else ""
    command = f" {_code(problem.command)}" if problem.command else ""
    return f"- {plain(f'{text} ({examples})' if examples else text)}{remedy}{command}"


def _code(text: str) -> str:
    fence = "`" * (_longest_run(text) + 1)
    return f"{fence}{columns.plain(text)}{fence}"


def _longest_run(code: str) -> int:
    """The most backticks in a row, which a fence must exceed."""
    return max(map(len, re.findall("`+", code)), default=0)


def _notes(report: Report) -> str:
    return "\n".join(["## Notes", "", *(f"- {plain(note)}" for note in content.footnotes(report))])


def plain(text: str) -> str:
    """The text on one line, whatever it holds being letters and no markup."""
    escaped = _SPECIAL.sub(r"\\\1", columns.plain(text))
    return _LEADING.sub(lambda found: f"{found[1] or ''}\\{found[2] or found[3]}", escaped)


_BLOCKS: Final = (_head, _headline, _table, _failures, _exceptions, _details, _problems, _notes)
