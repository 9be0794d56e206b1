"""Keeps what tests write in memory, where the machine has room for it.

They make some ten thousand small files, whose writing and removing took a third of the time.
"""

import os
from pathlib import Path

ROOM = 4 * 1024**3
"""Bytes that have to be free: several times what a run leaves behind."""


def keep_temporary_files() -> None:
    """Has pytest make its folders in shared memory, unless somebody says where they belong."""
    shared = Path("/dev/shm")
    if _has_room(shared):
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(shared))


def _has_room(folder: Path) -> bool:
    """Whether tests can write there, and run what they wrote."""
    if not os.access(folder, os.W_OK | os.X_OK):
        return False
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize >= ROOM and not disk.f_flag & os.ST_NOEXEC
