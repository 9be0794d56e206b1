"""The files of a simulated repository, as GraphQL and REST tell them."""

from dataclasses import dataclass, field
from hashlib import sha1
from typing import TYPE_CHECKING, ClassVar

from github_server.things import node_id

if TYPE_CHECKING:
    from github_server.world import Repo


@dataclass(frozen=True, kw_only=True)
class Blob:
    """A file as it is on the default branch: files have no history here."""

    TYPENAME: ClassVar = "Blob"
    repo: "Repo" = field(repr=False)
    path: str
    text: str

    @property
    def size(self) -> int:
        """The number of its bytes."""
        return len(self.text.encode())

    @property
    def oid(self) -> str:
        """Its name in git."""
        content = self.text.encode()
        header = f"blob {len(content)}\0".encode()
        return sha1(header + content, usedforsecurity=False).hexdigest()

    @property
    def id(self) -> str:
        """Its node id."""
        return node_id("B", self.repo.database_id, self.oid)


def blob_at(repo: "Repo", path: str) -> Blob | None:
    """The file at a path."""
    text = repo.files.get(path)
    return None if text is None else Blob(repo=repo, path=path, text=text)
