"""Rules are cited by the ids that docs/metrics.md gives them, and each that is cited is there."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
CITING = ("src", "tests", "docs", "benchmarks", "config", "collectors", "reports")
ENDINGS = {".py", ".md", ".json", ".toml", ".html", ".css", ".txt"}

ID = r"[A-Z]\d+"
# "rule T1", "Rules F1, F4 and F5", "rules of T, F and N"; lines may break between the words.
CITATION = re.compile(rf"\b[Rr]ules?\s+(?:of\s+)?({ID}(?:(?:,\s+|\s+and\s+|\s+to\s+){ID})*)")
CHOICE = re.compile(rf"\bChoice \(({ID}(?:, {ID})*)\)")
LINK = re.compile(rf"metrics\.md#({ID.lower()})\b|\]\(#({ID.lower()})\)", re.IGNORECASE)
ANOTHER_KIND = re.compile(r"\b[Rr]ules?\s+\d|METRICS\.md|METRICS,? [Rr]ule|Choice \(\d")


@dataclass(frozen=True, kw_only=True)
class Citation:
    """An id, and the file and line that cite it."""

    id: str
    where: str


def rule_ids(page: str) -> list[str]:
    """The ids of the rules of a page, in its order."""
    return re.findall(rf'^### <a id="\w+"></a>({ID}) ', page, re.MULTILINE)


@cache
def texts() -> tuple[tuple[Path, str], ...]:
    """The files that may cite, with what stands in them."""
    return tuple(
        (path.relative_to(ROOT), path.read_text(encoding="utf-8"))
        for folder in CITING
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in ENDINGS and path != Path(__file__)
    )


def citations(path: Path, text: str) -> Iterator[Citation]:
    """Everything in a text that names a rule by its id."""
    for pattern in (CITATION, CHOICE, LINK):
        for found in pattern.finditer(text):
            where = f"{path}:{text.count(chr(10), 0, found.start()) + 1}"
            for id_ in re.findall(ID, found.group().upper()):
                yield Citation(id=id_, where=where)


def docstrings(text: str) -> Iterator[str]:
    """The docstrings of a module and of all in it."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield ast.get_docstring(node) or ""


def test_each_rule_has_an_id_and_an_anchor_of_its_own() -> None:
    ids = rule_ids(PAGE)
    anchors = re.findall(r'<a id="(\w+)"></a>', PAGE)

    assert len(ids) > 30
    assert len(ids) == len(set(ids))
    assert anchors == [id_.lower() for id_ in ids]


def test_every_letter_is_in_the_table_of_letters() -> None:
    letters = re.findall(r"^\| \[([A-Z])\]\(#", PAGE, re.MULTILINE)

    assert set(letters) == {id_[0] for id_ in rule_ids(PAGE)}
    assert len(letters) == len(set(letters))


def test_every_rule_that_is_cited_stands_in_the_page() -> None:
    ids = set(rule_ids(PAGE))
    cited = [one for path, text in texts() for one in citations(path, text)]

    assert len(cited) > 100
    assert [one for one in cited if one.id not in ids] == []


def test_no_rule_is_cited_in_another_way() -> None:
    found = [
        f"{path}:{text.count(chr(10), 0, other.start()) + 1}: {other.group()}"
        for path, text in texts()
        for other in ANOTHER_KIND.finditer(text)
    ]
    found += [
        f"{path}: {docstring.splitlines()[0]}"
        for path, text in texts()
        if path.suffix == ".py" and "METRICS" in text
        for docstring in docstrings(text)
        if re.search(r"(?<![A-Z_])METRICS\b", docstring)
    ]

    assert found == []


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("as it was (rule T1).", ["T1"]),
        ("(rules F1, F4 and F5)", ["F1", "F4", "F5"]),
        ("Rules C1 to C3", ["C1", "C3"]),
        ("# Choice (D1, D3): the last", ["D1", "D3"]),
        ("the [limits](metrics.md#l1)", ["L1"]),
        ("see [there](#f2)", ["F2"]),
        ("(rule\n    W3).", ["W3"]),
        ("a rule of thumb, and T1 alone", []),
    ],
)
def test_a_citation_is_recognised(text: str, ids: list[str]) -> None:
    assert [one.id for one in citations(Path("a.py"), text)] == ids


@pytest.mark.parametrize("text", ["(rule 17)", "rules\n17 and 18", "METRICS rule", "Choice (15)"])
def test_a_number_alone_is_no_citation(text: str) -> None:
    assert ANOTHER_KIND.search(text)
