"""A file that is watched for changes."""

from pathlib import Path


class WatchedFile:
    """A file, and what it held when it was last looked at."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._content = self._read()

    def has_changed(self) -> bool:
        """Tell whether it holds something else than at the last look, or is not there any more."""
        before, self._content = self._content, self._read()
        return self._content != before

    def _read(self) -> bytes | None:
        try:
            return self.path.read_bytes()
        except OSError:
            return None
