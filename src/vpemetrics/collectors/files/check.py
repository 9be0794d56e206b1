"""The check of a source of files: which there are."""

from collections.abc import Iterator

from vpemetrics.collectors.base import CollectionContext, Finding, Level
from vpemetrics.collectors.files.options import Options
from vpemetrics.collectors.files.reading import find


def check(options: Options, context: CollectionContext) -> Iterator[Finding]:
    """The files there are to read; FixInput if there are none. Their rows are not looked at."""
    odd: list[str] = []
    names = [path.name for path in find(options.place(context.folder), odd.append)]
    yield Finding(topic="path", text=f"there are {', '.join(names)}", numbers={"files": len(names)})
    for text in odd:
        yield Finding(topic="path", level=Level.WARNING, text=text)
