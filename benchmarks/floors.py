"""The quick tests with the lowest versions that pyproject.toml allows, in a venv of their own.

    python benchmarks/floors.py FOLDER

FOLDER is where the venv goes. Warnings are no errors there: old packages warn of what became
of those that they use themselves. Left out are checks that lines of pictures are the same to the
byte, which they are with one version of matplotlib only.
"""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parent.parent
EXTRAS: Final = ("postgresql",)
"""The extras that people install, besides what everybody has."""

_FLOOR: Final = re.compile(r"(?P<name>[\w.-]+)(\[[\w,]+\])?>=(?P<version>[\w.]+)")
_NO_TESTS: Final = ("vpemetrics", "ruff", "mypy", "pandas-stubs", "types-", "pre-commit")
_PICTURES: Final = ("tests/reports/charts", "tests/cli/test_chart.py", "tests/cli/test_demo.py")


def floors(project: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The name and lowest version of each runtime dependency. ValueError for one without."""
    extras = project["optional-dependencies"]
    for requirement in (*project["dependencies"], *(r for name in EXTRAS for r in extras[name])):
        found = _FLOOR.match(requirement)
        if found is None:
            raise ValueError(f"{requirement}: no lowest version")
        yield found["name"], found["version"]


def tools(project: dict[str, Any]) -> Iterator[str]:
    """The requirements of the tests that are none of the product."""
    held = {name for name, _ in floors(project)}
    for requirement in project["optional-dependencies"]["dev"]:
        found = re.match(r"[\w.-]+", requirement)
        if found and found[0] not in held and not requirement.startswith(_NO_TESTS):
            yield requirement


def main(folder: Path) -> int:
    """Install the floors and run the quick tests; return pytest's exit code."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    constraints = folder / "floors.txt"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    lines = (f"{name}=={version}\n" for name, version in floors(project))
    constraints.write_text("".join(lines), encoding="utf-8")
    python = str(folder / "bin" / "python")
    product = f"{ROOT}[{','.join(EXTRAS)}]"
    install = [python, "-m", "pip", "install", "-q", "-c", str(constraints), "-e", product]
    subprocess.run([*install, *tools(project)], check=True)
    ignored = (f"--ignore={path}" for path in _PICTURES)
    tests = ["-m", "not slow", "-n", "auto", "--dist", "loadfile", "-W", "ignore"]
    run = [python, "-m", "pytest", *tests, *ignored]
    return subprocess.run(run, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
