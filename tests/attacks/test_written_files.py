"""Files are written in one way: never through a link that somebody else laid, private if ours."""

import ast
import csv
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from commandline import spawn
from subprocesses import PATIENCE, environment

import vpemetrics
from vpemetrics.cli.crash_log import keep
from vpemetrics.collectors.files.reading import read
from vpemetrics.collectors.files.writing import write as write_records
from vpemetrics.errors import FixInput
from vpemetrics.files import PRIVATE, make_folder, readers_of, replace, unused, write
from vpemetrics.records import Repository
from vpemetrics.store import Store
from vpemetrics.store.schedule_lock import only_schedule

pytestmark = pytest.mark.slow

SOURCE = Path(vpemetrics.__file__).parent
SOMEBODY = 65_534
FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "'=1", "''=1", "＝1")

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(autouse=True)
def usual_mask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A folder that everybody may write to, as /tmp is."""
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o1777)
    return folder


# --- links --------------------------------------------------------------------------------------


def lay_link(place: Path, target: Path, owner: int) -> None:
    place.symlink_to(target)
    os.chown(place, owner, owner, follow_symlinks=False)


@pytest.mark.needs_root
@as_root
def test_a_link_that_somebody_laid_in_a_shared_folder_is_not_followed(
    shared: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("dear")
    lay_link(shared / "week.html", mine, SOMEBODY)

    with pytest.raises(FixInput, match="put there by somebody else"):
        write(shared / "week.html", b"new")

    assert mine.read_text() == "dear"


@pytest.mark.needs_root
@as_root
def test_nor_is_a_folder_that_is_such_a_link(shared: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    lay_link(shared / "reports", tmp_path / "mine", SOMEBODY)

    with pytest.raises(FixInput, match="put there by somebody else"):
        write(shared / "reports" / "week.html", b"new")

    assert list((tmp_path / "mine").iterdir()) == []


@pytest.mark.needs_root
@as_root
def test_nor_one_that_a_link_of_ones_own_leads_to(shared: Path, tmp_path: Path) -> None:
    lay_link(shared / "theirs", tmp_path / "mine.txt", SOMEBODY)
    (tmp_path / "latest").symlink_to("shared/theirs")

    with pytest.raises(FixInput, match="put there by somebody else"):
        write(tmp_path / "latest", b"new")

    assert not (tmp_path / "mine.txt").exists()


@pytest.mark.needs_root
@as_root
def test_a_pipe_of_somebody_else_is_told_nothing(shared: Path) -> None:
    os.mkfifo(shared / "week.html")
    os.chown(shared / "week.html", SOMEBODY, SOMEBODY)

    with pytest.raises(FixInput, match="put there by somebody else"):
        write(shared / "week.html", b"new")


@pytest.mark.needs_root
@as_root
def test_a_store_is_not_made_where_such_a_link_leads(shared: Path, tmp_path: Path) -> None:
    lay_link(shared / "vpemetrics.db", tmp_path / "mine.db", SOMEBODY)

    with pytest.raises(FixInput, match="put there by somebody else"):
        Store.open(shared / "vpemetrics.db")

    assert not (tmp_path / "mine.db").exists()


def test_links_of_ones_own_are_followed_from_folder_to_folder(shared: Path, tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (shared / "up").symlink_to("../a/b")
    (tmp_path / "a" / "week.html").symlink_to(tmp_path / "a" / "b" / "w36.html")

    write(shared / "up" / ".." / "week.html", b"new")

    assert (tmp_path / "a" / "b" / "w36.html").read_bytes() == b"new"


def test_links_in_a_circle_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")

    with pytest.raises(OSError, match="symbolic links"):
        write(tmp_path / "a", b"new")


# --- permissions --------------------------------------------------------------------------------


def test_a_file_that_a_person_named_is_as_the_mask_says_and_ours_are_private(
    tmp_path: Path,
) -> None:
    write(tmp_path / "named", b"")
    write(tmp_path / "ours", b"", PRIVATE)
    make_folder(tmp_path / "x" / "y")

    assert (mode(tmp_path / "named"), mode(tmp_path / "ours")) == (0o644, 0o600)
    assert (mode(tmp_path / "x"), mode(tmp_path / "x" / "y")) == (0o700, 0o700)


@pytest.mark.parametrize(
    ("folder", "file"), [(0o700, 0o600), (0o750, 0o640), (0o2755, 0o644), (0o777, 0o644)]
)
def test_a_report_can_be_read_by_those_who_may_read_its_folder(
    tmp_path: Path, folder: int, file: int
) -> None:
    tmp_path.chmod(folder)

    assert readers_of(tmp_path) == file


def test_a_store_its_log_and_its_lock_are_the_users_alone(tmp_path: Path) -> None:
    path = tmp_path / "own" / "vpemetrics.db"

    with Store.open(path) as store, only_schedule(path):
        store.save("s", [Repository(id="1", name="a")])
        modes = {file.name: mode(file) for file in path.parent.iterdir()}

    assert modes == dict.fromkeys(modes, 0o600)
    assert {"vpemetrics.db", "vpemetrics.db-wal", "vpemetrics.db-shm"} <= modes.keys()
    assert "vpemetrics.db-schedule" in modes
    assert mode(path.parent) == 0o700


def test_a_store_that_is_there_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "vpemetrics.db"
    Store.open(path).close()
    path.chmod(0o660)

    with Store.open(path) as store:
        store.save("s", [Repository(id="1", name="a")])

        assert mode(path) == mode(path.with_name("vpemetrics.db-wal")) == 0o660


def test_the_log_of_a_crash_is_the_users_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    kept = [keep(ValueError("x"), {"HOME": str(tmp_path)}) for _ in range(2)]
    homeless = keep(ValueError("x"), {})

    assert len({*kept, homeless}) == 3  # none replaces another
    for path in (*kept, homeless):
        assert (mode(path), mode(path.parent)) == (0o600, 0o700)


# --- rows that a spreadsheet would run ----------------------------------------------------------


@pytest.mark.parametrize("text", FORMULAS)
def test_no_exported_cell_is_a_formula_and_each_reads_back(tmp_path: Path, text: str) -> None:
    repository = Repository(id=text, name=text, aliases=(text, "b"))
    kinds = {"repositories": [(text, repository)]}

    write_records(lambda kind: kinds.get(kind, []), tmp_path)

    with (tmp_path / "repositories.csv").open(newline="", encoding="utf-8") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell.startswith(tuple("=+-@\t\r\n＝＋－＠"))]
    assert list(read(tmp_path)) == [(text, repository)]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_rejected_row_can_be_imported_when_it_is_mended(tmp_path: Path, text: str) -> None:
    header = "name,id,aliases,nonsense"
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    with (tmp_path / "in" / "repositories.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header.split(","), [text, "1", "\\", "x"]])

    assert list(read(tmp_path / "in", rejected=tmp_path / "rejected-rows.csv")) == []

    with (tmp_path / "rejected-rows.csv").open(newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert row["text"][0] not in "=+-@\t\r＝"
    mended = row["text"].replace("\\", "a")
    (tmp_path / "out" / "repositories.csv").write_text(f"{header}\n{mended}\n", newline="")
    ((_, repository),) = read(tmp_path / "out")
    assert isinstance(repository, Repository)
    assert repository.name == (text[1:] if text.startswith("'") else text)  # as `in` means it


def test_rejected_rows_replace_nothing_and_follow_no_link(tmp_path: Path) -> None:
    (tmp_path / "repositories.csv").write_text("id,name,aliases\n1,a,\\\n")
    dear = tmp_path / "dear.txt"
    dear.write_text("dear")
    work = tmp_path / "work"
    work.mkdir()
    (work / "rejected-rows.csv").symlink_to(dear)
    (work / "rejected-rows-2.csv").write_text("half mended")
    told: list[str] = []

    list(read(tmp_path, rejected=work / "rejected-rows.csv", warn=told.append))

    assert dear.read_text() == "dear"
    assert (work / "rejected-rows-2.csv").read_text() == "half mended"
    assert "repositories.csv,2,aliases" in (work / "rejected-rows-3.csv").read_text()
    assert "rejected-rows-3.csv" in told[-1]


def test_a_name_that_nothing_has_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.csv").symlink_to("nowhere")

    assert unused(tmp_path / "a.csv") == tmp_path / "a-2.csv"
    assert unused(tmp_path / "b.csv") == tmp_path / "b.csv"


def test_an_export_that_breaks_leaves_the_one_before_and_nothing_else(tmp_path: Path) -> None:
    write_records(lambda _: [], tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def broken(kind: str) -> list[tuple[str, Repository]]:
        if kind == "deployments":
            raise ConnectionError("gone")
        return [("s", Repository(id="1", name="a"))] if kind == "repositories" else []

    with pytest.raises(ConnectionError, match="gone"):
        write_records(broken, tmp_path)

    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_an_error_of_the_writer_is_told_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="of somewhere else"), replace(tmp_path / "a"):
        raise OSError("of somewhere else")

    assert list(tmp_path.iterdir()) == []


# --- the one way --------------------------------------------------------------------------------

WRITERS = ("write_text", "write_bytes", "NamedTemporaryFile", "mkstemp", "FileHandler", "touch")


def writes(call: ast.Call) -> bool:
    """Tell whether a call writes a file by itself."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name in WRITERS:
        return True
    modes = [*call.args, *(word.value for word in call.keywords)]
    return name in ("open", "fdopen") and any(
        isinstance(value, ast.Constant)
        and isinstance(value.value, str)
        and len(value.value) <= 3
        and set(value.value) & set("wxa+")
        for value in modes
    )


def test_the_one_module_that_writes_files_is_files() -> None:
    found = {
        f"{path.relative_to(SOURCE)}:{node.lineno}"
        for path in SOURCE.rglob("*.py")
        if path != SOURCE / "files.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and writes(node)
    }

    assert found == set()


def test_such_a_call_is_found() -> None:
    calls = ["p.open('w')", "open(p, mode='ab')", "p.write_text(x)", "os.fdopen(f, 'x')"]

    assert all(writes(ast.parse(call, mode="eval").body) for call in calls)  # type: ignore[arg-type]
    assert not writes(ast.parse("p.open('rb')", mode="eval").body)  # type: ignore[arg-type]


# --- what a kill leaves -------------------------------------------------------------------------

KILLED = """
import os, signal, sys
from pathlib import Path
from vpemetrics.files import replace
with replace(Path(sys.argv[1])) as file:
    file.write(b"half of it")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""
HOUR = 3_600


def unfinished(folder: Path) -> list[Path]:
    return sorted(folder.glob(".unfinished-*"))


def age(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then), follow_symlinks=False)


def test_what_a_killed_writer_left_is_removed_an_hour_later(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path / "week.html")]
    killed = subprocess.run(command, env=environment(), timeout=PATIENCE, check=False)
    [left] = unfinished(tmp_path)
    assert (killed.returncode, left.read_bytes()) == (-signal.SIGKILL, b"half of it")

    write(tmp_path / "other.html", b"whole")
    assert unfinished(tmp_path) == [left]  # somebody may be at it
    age(left, HOUR + 60)
    write(tmp_path / "other.html", b"whole")

    assert [path.name for path in tmp_path.iterdir()] == ["other.html"]


def test_nothing_else_is_taken_for_such_a_file(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.write_bytes(b"mine")
    folder, link = (tmp_path / f".unfinished-{digit * 16}" for digit in "ab")
    folder.mkdir()
    link.symlink_to(mine)
    others = [".unfinished-", ".unfinished-0123", f".unfinished-{'a' * 16}.html", "unfinished"]
    for name in others:
        (tmp_path / name).touch()
    for path in tmp_path.iterdir():
        age(path, 48 * HOUR)
    before = {path.name for path in tmp_path.iterdir()}

    write(tmp_path / "week.html", b"whole")

    assert {path.name for path in tmp_path.iterdir()} == {*before, "week.html"}
    assert mine.read_bytes() == b"mine"


@pytest.mark.needs_root
@as_root
def test_nor_is_one_of_somebody_else(shared: Path) -> None:
    left = shared / f".unfinished-{'a' * 16}"
    left.touch()
    age(left, 48 * HOUR)
    os.chown(left, SOMEBODY, SOMEBODY)

    write(shared / "week.html", b"whole")

    assert left.exists()


@pytest.mark.needs_root
@as_root
def test_a_command_says_what_it_left_alone(shared: Path, tmp_path: Path) -> None:
    lay_link(shared / "s.db", tmp_path / "mine.db", SOMEBODY)

    result = spawn("status", "--store", shared / "s.db")

    assert (result.returncode, result.stdout) == (1, "")
    assert "put there by somebody else" in result.stderr
