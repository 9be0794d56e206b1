"""Files to import and histories of git, spoilt in any way: refused with their place, or read.

Nothing is stored of what was refused, and nothing is taken for a bug.
"""

import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from anyrecords import ONE_OF_EACH
from gitrepository import Collected, GitRepository, collected, new_repository
from hypothesis import given
from hypothesis import strategies as st
from tiers import law

from vpemetrics.collectors.files.writing import write
from vpemetrics.errors import BadRows, FixInput, VpemetricsError
from vpemetrics.records import RECORD_TYPES
from vpemetrics.rules import Rules
from vpemetrics.store import Store
from vpemetrics.usecases.files import import_files

pytestmark = pytest.mark.slow

NOW = datetime(2026, 12, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Edit:
    """A change to some bytes: so many at a place, given in thousandths, become others."""

    place: int
    length: int
    text: bytes

    def done(self, content: bytes) -> bytes:
        at = len(content) * self.place // 1000
        return content[:at] + self.text + content[at + self.length :]


def edits(tokens: list[bytes], most: int) -> st.SearchStrategy[list[Edit]]:
    edit = st.builds(
        Edit,
        place=st.integers(0, 1000),
        length=st.sampled_from([0, 0, 1, 1, 2, 10, 100, 10_000]),
        text=st.sampled_from(tokens) | st.binary(max_size=6),
    )
    return st.lists(edit, min_size=1, max_size=most)


def spoilt(content: bytes, changes: list[Edit]) -> bytes:
    for change in changes:
        content = change.done(content)
    return content


# --- files to import ----------------------------------------------------------------------------

TOKENS = [
    b"", b'"', b'""', b",", b"\n", b"\r", b"\r\n", b"\0", b"\xef\xbb\xbf", b"\xff", b"\\", b";",
    b"'=", b"=1+1", b"{", b"}", b"[" * 3_000, b'{"a":' * 500, b"null", b"true", b"1e999", b"NaN",
    b"-1", b"9" * 30, b"\\ud800", b"\\u0000", b"\xed\xa0\x80", b"2031-01-01T00:00:00Z",
    b"0000-00-00", b"9999-12-31T23:59:59-23:59", b"0001-01-01T00:00:00+23:59", b"x" * 70_000,
    b"source,", b"id", b'"id":', b"\xe2\x80\xae", b"\x1b[31m", b" ", b"\t",
]  # fmt: skip


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A file of each kind and format, by its name."""
    folder = tmp_path_factory.mktemp("good")
    for ending in (".csv", ".jsonl"):
        write(
            lambda kind: (("s", record) for record in ONE_OF_EACH if kind == record.KIND),
            folder,
            ending=ending,
        )
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(tmp_path_factory.mktemp("store") / "x.db") as store:
        yield store


@given(
    kind=st.sampled_from(sorted(RECORD_TYPES)),
    ending=st.sampled_from([".csv", ".jsonl"]),
    changes=edits(TOKENS, 4),
)
@law(60, soak=100_000)
def test_a_file_is_read_or_refused_with_its_lines_and_nothing_of_it_is_stored(
    good: dict[str, bytes], store: Store, kind: str, ending: str, changes: list[Edit]
) -> None:
    name, before = kind + ending, store.batch()
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(spoilt(good[name], changes))
        content = path.read_bytes()

        refused = refusal(store, path)

    if isinstance(refused, BadRows):
        last = content.count(b"\n") + content.count(b"\r") + 1
        assert all(row.file == name and 1 <= row.line <= last for row in refused.rows)
        assert f"{name}:{refused.rows[0].line}: " in str(refused)
        assert max(map(len, str(refused).splitlines())) < 600
    elif refused:
        assert str(refused).startswith(kind)  # of what is yet to come; its key follows
    if refused:
        assert store.batch() == before


def refusal(store: Store, path: Path, rejected: Path | None = None) -> FixInput | None:
    try:
        import_files(
            store, [path], Rules(), rejected=rejected, warn=lambda _: None,
            progress=lambda _: None, now=NOW,
        )  # fmt: skip
    except FixInput as refused:
        return refused
    return None


@given(
    kind=st.sampled_from(sorted(RECORD_TYPES)),
    ending=st.sampled_from([".csv", ".jsonl"]),
    changes=edits(TOKENS, 3),
)
@law(50, soak=20_000)
def test_bad_rows_go_where_they_are_wanted_and_all_others_are_stored(
    good: dict[str, bytes], store: Store, kind: str, ending: str, changes: list[Edit]
) -> None:
    with TemporaryDirectory() as folder:
        path, rejected = Path(folder) / (kind + ending), Path(folder) / "rejected-rows.csv"
        path.write_bytes(spoilt(good[path.name], changes))

        refused = refusal(store, path, rejected)

        if refused:  # for its header, or for what is yet to come
            assert str(refused).startswith((path.name, kind))
        elif rejected.exists():
            assert path.name in rejected.read_text(encoding="utf-8")


# --- histories of git ---------------------------------------------------------------------------

GIT_TOKENS = [
    b"", b"\n", b"\n\n", b"\0", b"<", b">", b"tree ", b"parent ", b"author ", b"committer ",
    b"encoding utf-7\n", b"gpgsig x\n", b"99999999999999999999", b"-1", b"+9999", b"\xff\xfe",
    b"Merge pull request #99999999999999999999 from a/b", b"(#1)", b"(#" + b"9" * 5_000 + b")",
    b"This reverts commit " + b"0" * 40, b"(cherry picked from commit " + b"f" * 40 + b")",
    b"Co-authored-by: a <b>\n", b"\xe2\x80\xae", b"\x1b[31m", b"a" * 70_000, b"[skip ci]",
]  # fmt: skip
SUBJECTS = ("First", "Add a till (#12)", "Merge pull request #7 from acme/x", 'Revert "First"')


def commit_of(tree: str, parents: list[str], number: int, changes: list[Edit]) -> bytes:
    """A commit as git stores it, spoilt; its tree and its parents are what they should be."""
    head = b"".join(b"parent %s\n" % parent.encode() for parent in parents)
    person = b"Ada <ada@example.org> %d +0000" % (1_772_000_000 + 60 * number)
    subject = SUBJECTS[number % len(SUBJECTS)].encode()
    rest = b"author %s\ncommitter %s\n\n%s\n\nWhy.\n" % (person, person, subject)
    return b"tree %s\n" % tree.encode() + head + spoilt(rest, changes)


def add(repository: GitRepository, content: bytes) -> str:
    """Put a commit into a repository as it is; return its id."""
    stored = b"commit %d\0" % len(content) + content
    sha = hashlib.sha1(stored, usedforsecurity=False).hexdigest()
    path = repository.path / ".git" / "objects" / sha[:2] / sha[2:]
    path.parent.mkdir(exist_ok=True)
    if not path.exists():
        path.write_bytes(zlib.compress(stored))
    return sha


@pytest.mark.slow
@given(history=st.lists(edits(GIT_TOKENS, 3), min_size=1, max_size=25))
@law(10, soak=1_000)
def test_a_history_is_read_or_refused_with_its_repository(history: list[list[Edit]]) -> None:
    with TemporaryDirectory() as folder:
        repository = new_repository(Path(folder) / "shop")
        repository.commit("Begin")
        tree, tip = repository.git("rev-parse", "HEAD^{tree}"), repository.head()
        for number, changes in enumerate(history):
            tip = add(repository, commit_of(tree, [tip], number, changes))
            tag = repository.path / ".git" / "refs" / "tags" / f"v1.{number}"
            tag.write_text(f"{tip}\n", encoding="ascii")
        (repository.path / ".git" / "refs" / "heads" / "main").write_text(f"{tip}\n")

        found = reading(repository)

        if isinstance(found, VpemetricsError):
            assert str(repository.path) in str(found)
            return
        with Store.open(Path(folder) / "x.db") as store:
            store.save("git", found.new)


def reading(repository: GitRepository) -> Collected | VpemetricsError:
    try:
        return collected(repository.path)
    except VpemetricsError as refused:
        return refused
