import os
import signal
from pathlib import Path
from resource import RLIMIT_FSIZE, getrlimit, setrlimit

import pytest

from vpemetrics.errors import FixInput
from vpemetrics.files import write


def test_a_file_is_replaced_whole_and_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(b"the one before")
    path.chmod(0o640)

    write(path, b"new")

    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [path]  # nothing is left beside it


def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path: Path) -> None:
    path, link = tmp_path / "2026-W36.html", tmp_path / "latest.html"
    path.write_bytes(b"the one before")
    link.symlink_to(path.name)

    write(link, b"new")

    assert link.is_symlink()
    assert path.read_bytes() == b"new"


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "report.txt"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)

    write(pipe, b"new")

    assert os.read(reader, 10) == b"new"
    os.close(reader)
    assert pipe.is_fifo()


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.mkdir()  # cannot be replaced by a file

    with pytest.raises(OSError, match="directory"):
        write(path, b"new")

    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FixInput, match="there is no folder"):
        write(tmp_path / "nowhere" / "report.json", b"new")


def test_a_full_disk_names_the_file_that_was_wanted(tmp_path: Path) -> None:
    before, most = getrlimit(RLIMIT_FSIZE)
    usual = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    setrlimit(RLIMIT_FSIZE, (100, most))
    try:
        with pytest.raises(OSError, match="too large") as error:
            write(tmp_path / "week.txt", b"x" * 10_000)
    finally:
        setrlimit(RLIMIT_FSIZE, (before, most))
        signal.signal(signal.SIGXFSZ, usual)

    assert error.value.filename == str(tmp_path / "week.txt")
    assert list(tmp_path.iterdir()) == []
