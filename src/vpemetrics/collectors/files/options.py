"""The settings of a source of files."""

from dataclasses import dataclass
from pathlib import Path

from vpemetrics.folders import locate


@dataclass(frozen=True, kw_only=True)
class Options:
    """A file or folder that something else keeps up to date."""

    path: str

    def place(self, folder: Path) -> Path:
        """The path, which starts at a folder; `~` is the user's home."""
        return locate(folder, self.path)
