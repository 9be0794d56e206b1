"""Findings on collecting from a configuration repository, and the services' clones beside it."""

from collections.abc import Iterator
from pathlib import Path

from vpemetrics.collectors.base import CollectionContext, Finding, Level
from vpemetrics.collectors.git.check import freshness, whereabouts
from vpemetrics.collectors.git.clone import look_at
from vpemetrics.collectors.git.commands import Git
from vpemetrics.collectors.gitops.options import Options
from vpemetrics.folders import locate


def check(options: Options, context: CollectionContext) -> Iterator[Finding]:
    """Yield findings on the path: what lies there, how old it is, and the services' clones."""
    clone = look_at(Git(path=locate(context.folder, options.path).resolve()), options.branch)
    yield whereabouts(clone)
    yield freshness(clone, context.now)
    yield _clones(options.clones, context.folder)


def _clones(pattern: str | None, folder: Path) -> Finding:
    if pattern is None:
        return Finding(
            topic="clones",
            level=Level.WARNING,
            text="no clones of the services are named, so what a version shipped is not known",
            mend='say where they are, as in clones = "../{service}"',
        )
    fixed, _, _ = pattern.partition("{service}")
    above = locate(folder, fixed if fixed.endswith("/") else str(Path(fixed).parent))
    if above.is_dir():
        return Finding(topic="clones", text=f"the services' clones are looked for in {above}")
    return Finding(
        topic="clones",
        level=Level.ERROR,
        text=f"there is no folder {above} for the services' clones",
        mend="correct `clones`, or clone them there",
    )
