"""Who may import whom: the imports of the source, read without running it, against the table."""

import ast
import os
import subprocess
import sys
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from subprocesses import PATIENCE

import vpemetrics

SOURCE = Path(vpemetrics.__file__).parent

# A part imports parts of lower rows only; parts of one row never import each other.
ROWS = (
    ("__version__",),
    ("errors", "records", "rules"),
    (
        "addresses",
        "files",
        "fingerprint",
        "folders",
        "hidden_characters",
        "login",
        "names",
        "agents",
        "patterns",
        "release_titles",
        "search_paths",
        "spreadsheets",
        "version_tags",
        "window",
    ),
    ("record_columns",),
    ("collectors", "lineage"),
    ("store", "metrics"),
    ("reports", "delivery"),
    ("config", "demo", "explain"),
    ("usecases",),
    ("scheduler",),
    ("cli",),
    ("__main__",),
)
ROW_OF = {part: row for row, parts in enumerate(ROWS) for part in parts}

# The modules that may know a heavy library; every other one is protected from it.
HOMES = {
    "pandas": ("vpemetrics.explain",),
    "sqlalchemy": ("vpemetrics.store",),
    "alembic": ("vpemetrics.store",),
    "requests": ("vpemetrics.collectors", "vpemetrics.delivery"),
    "github": ("vpemetrics.collectors", "vpemetrics.delivery"),
    "matplotlib": ("vpemetrics.reports.charts",),
    "scipy": (),
}


@dataclass(frozen=True, kw_only=True)
class Import:
    """One imported name, dotted from its top package, and where the import stands."""

    module: str
    line: int
    name: str

    def __str__(self) -> str:
        return f"{self.module}:{self.line} imports {self.name}"


def module_name(path: Path, package: Path) -> str:
    parts = path.relative_to(package.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def absolute(node: ast.ImportFrom, module: str, *, is_package: bool) -> str:
    if not node.level:
        return node.module or ""
    above = node.level - is_package
    base = module.split(".")[: -above or None]
    return ".".join([*base, *([node.module] if node.module else [])])


@cache
def imports_of(path: Path, package: Path) -> list[Import]:
    return list(read_imports(path, package))


def read_imports(path: Path, package: Path) -> Iterator[Import]:
    module, is_package = module_name(path, package), path.name == "__init__.py"
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = absolute(node, module, is_package=is_package)
            names = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            yield Import(module=module, line=node.lineno, name=name)


def part_of(dotted: str) -> str:
    return [*dotted.split("."), "__version__"][1]


def objection(found: Import) -> str | None:
    library = found.name.split(".")[0]
    if library == "vpemetrics":
        return objection_to_part(part_of(found.module), part_of(found.name))
    if library not in HOMES or f"{found.module}.".startswith(
        tuple(f"{home}." for home in HOMES[library])
    ):
        return None
    return f"{library} belongs to {', '.join(HOMES[library]) or 'the tests'}"


def objection_to_part(importer: str, imported: str) -> str | None:
    for part in (importer, imported):
        if part not in ROW_OF:
            return f"{part} has no row in the table of layers"
    if importer == imported or ROW_OF[imported] < ROW_OF[importer]:
        return None
    return f"{imported} is not below {importer}"


def violations(package: Path) -> list[str]:
    return [
        f"{found}: {reason}"
        for path in sorted(package.rglob("*.py"))
        for found in imports_of(path, package)
        if (reason := objection(found))
    ]


def test_every_import_points_down_the_layers() -> None:
    assert violations(SOURCE) == []


def test_every_part_of_the_source_has_a_row() -> None:
    parts = {part_of(module_name(path, SOURCE)) for path in SOURCE.rglob("*.py")}

    assert parts <= set(ROW_OF)


@pytest.mark.parametrize(
    ("file", "source", "reason"),
    [
        ("records.py", "from vpemetrics.window import Window", "window is not below records"),
        ("rules.py", "import vpemetrics.errors", "errors is not below rules"),  # one row
        ("lineage/graph.py", "from vpemetrics import store", "store is not below lineage"),
        ("metrics/dora.py", "from ..store import Store", "store is not below metrics"),
        ("lineage/__init__.py", "from ..metrics import dora", "metrics is not below lineage"),
        ("store/a.py", "def late():\n    import vpemetrics.cli.report", "cli is not below store"),
        (
            "window.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from vpemetrics import cli",
            "cli is not below window",
        ),
        ("stray.py", "import vpemetrics.errors", "stray has no row in the table of layers"),
        ("cli/a.py", "import vpemetrics.stray", "stray has no row in the table of layers"),
        ("reports/a.py", "import pandas as pd", "pandas belongs to vpemetrics.explain"),
        ("metrics/a.py", "from sqlalchemy import text", "sqlalchemy belongs to vpemetrics.store"),
        ("reports/page.py", "import matplotlib", "matplotlib belongs to vpemetrics.reports.charts"),
        ("metrics/b.py", "def f():\n    from scipy import stats", "scipy belongs to the tests"),
    ],
)
def test_a_violation_is_found_and_explained(
    tmp_path: Path, file: str, source: str, reason: str
) -> None:
    module = tmp_path / "vpemetrics" / file
    module.parent.mkdir(parents=True, exist_ok=True)
    module.write_text(source, encoding="utf-8")

    found = violations(tmp_path / "vpemetrics")

    assert len(found) == 1
    assert found[0].endswith(reason)


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("usecases.py", "from vpemetrics.store import Store"),
        ("store/a.py", "from .tables import metadata"),
        ("store/migrations/b.py", "from ..tables import metadata\nimport sqlalchemy.sql"),
        ("reports/charts.py", "from matplotlib.figure import Figure"),
        ("reports/charts/lines.py", "import matplotlib"),
        ("cli/version.py", "from vpemetrics import __version__"),
        ("explain/a.py", "import pandas"),
    ],
)
def test_what_is_allowed_raises_no_objection(tmp_path: Path, file: str, source: str) -> None:
    module = tmp_path / "vpemetrics" / file
    module.parent.mkdir(parents=True, exist_ok=True)
    module.write_text(source, encoding="utf-8")

    assert violations(tmp_path / "vpemetrics") == []


def modules_of(package: Path) -> dict[str, Path]:
    return {module_name(path, package): path for path in sorted(package.rglob("*.py"))}


def graph_of(package: Path) -> dict[str, set[str]]:
    """The modules that each module imports, for whatever reason and wherever it does."""
    modules = modules_of(package)
    return {
        module: {
            target
            for found in imports_of(path, package)
            if (target := _module_in(found.name, modules)) and target != module
        }
        for module, path in modules.items()
    }


def _module_in(name: str, modules: Container[str]) -> str | None:
    """The module that an imported name is, or is in."""
    while name and name not in modules:
        name = name.rpartition(".")[0]
    return name or None


def circles(graph: Mapping[str, set[str]]) -> list[tuple[str, ...]]:
    """The modules that reach each other by imports, a group each (by Kosaraju's two walks)."""
    backwards: dict[str, set[str]] = {module: set() for module in graph}
    for module, imported in graph.items():
        for target in imported:
            backwards[target].add(module)
    finished: list[str] = []
    seen: set[str] = set()
    for module in graph:
        finished += reachable(module, graph, seen)
    seen = set()
    groups = [sorted(reachable(module, backwards, seen)) for module in reversed(finished)]
    return sorted(tuple(group) for group in groups if len(group) > 1)


def reachable(module: str, graph: Mapping[str, set[str]], seen: set[str]) -> list[str]:
    """A module and those it leads to that were not seen before, the farthest first."""
    if module in seen:
        return []
    seen.add(module)
    others = [far for near in sorted(graph[module]) for far in reachable(near, graph, seen)]
    return [*others, module]


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circles(graph_of(SOURCE)) == []


def test_a_circle_is_found_though_it_is_for_types_only(tmp_path: Path) -> None:
    package = tmp_path / "vpemetrics"
    (package / "a").mkdir(parents=True)
    late = "if TYPE_CHECKING:\n    from vpemetrics.a.y import Y"
    (package / "a" / "__init__.py").write_text("from vpemetrics.a.x import X")
    (package / "a" / "x.py").write_text(late)
    (package / "a" / "y.py").write_text("def f():\n    from .z import Z")
    (package / "a" / "z.py").write_text("from vpemetrics.a import x, w")
    (package / "a" / "w.py").write_text("import sys")

    found = circles(graph_of(package))

    assert found == [("vpemetrics.a.x", "vpemetrics.a.y", "vpemetrics.a.z")]


def loaded_by(statement: str) -> set[str]:
    """The top packages a fresh interpreter holds after a statement."""
    code = f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(SOURCE.parent)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    return set(run.stdout.split())


def test_the_command_line_starts_without_the_heavy_libraries() -> None:
    heavy = {"alembic", "apscheduler", "matplotlib", "numpy", "pandas", "pydantic", "sqlalchemy"}

    assert loaded_by("import vpemetrics.cli") & heavy == set()
    assert loaded_by("import pandas") >= {"pandas", "numpy"}  # the probe sees what is loaded
