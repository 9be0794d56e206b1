"""Files that lie where a command is run, and that Python, a library or the system would take."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from gitrepository import new_repository
from subprocesses import PATIENCE, environment

pytestmark = pytest.mark.slow

MODULES: Final = (
    "alembic", "apscheduler", "github", "hashlib", "jinja2", "json", "matplotlib", "numpy",
    "pandas", "pathspec", "psycopg", "pydantic", "regex", "requests", "rich", "secrets", "shutil",
    "signal", "sqlalchemy", "sqlite3", "subprocess", "tempfile", "tomllib", "typer", "urllib3",
    "yaml", "zoneinfo",
)  # fmt: skip
PROGRAMS: Final = ("fc-list", "gh", "git", "sh", "ssh")
AS_A_COMMAND: Final = ("-c", "import sys; from vpemetrics.__main__ import main; main()")


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with three releases, which is the working directory."""
    for name in ("HOME", "XDG_CACHE_HOME", "MPLCONFIGDIR"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    repository = new_repository(tmp_path / "clone")
    for number in range(3):
        repository.commit(f"Improve it (#{number})")
        repository.tag(f"v1.{number}")
    monkeypatch.chdir(repository.path)
    return repository.path


def run(
    how: tuple[str, ...], *arguments: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *how, *arguments],
        env=environment() | {"GITHUB_TOKEN": "canary"} | variables,
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
    )


def picture(path: Path) -> str:
    """A chart without the minute that it was made in."""
    return re.sub(r"collected to [^.]+", "", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("where", "command"),
    [("first", "report -o x.html"), ("last", "chart deployments -o x.svg"), ("by name", "check")],
)
def test_nothing_is_imported_or_started_from_there(clone: Path, where: str, command: str) -> None:
    for module in MODULES:
        Path(f"{module}.py").write_text("open('ran', 'w')\n", encoding="utf-8")
    for program in PROGRAMS:
        Path(program).write_text("#!/bin/sh\ntouch ran\n", encoding="utf-8")
        Path(program).chmod(0o755)
    Path("evil-1.dist-info").mkdir()
    Path("evil-1.dist-info", "METADATA").write_text("Name: evil\nVersion: 1\n", encoding="utf-8")
    plugin = "[vpemetrics.collectors]\nevil = numpy:x\n"
    Path("evil-1.dist-info", "entry_points.txt").write_text(plugin, encoding="utf-8")

    def around(known: str) -> str:
        places = {"first": ["", known], "last": [known, ""], "by name": [".", known]}
        return os.pathsep.join(places[where])

    variables = {
        "PYTHONPATH": around(environment()["PYTHONPATH"]),
        "PATH": around(os.environ["PATH"]),
    }
    result = run(AS_A_COMMAND, *command.split(), **variables)
    as_module = run(("-m", "vpemetrics"), *command.split(), PATH=variables["PATH"])

    assert (result.returncode, as_module.returncode) == (0, 0), result.stderr + as_module.stderr
    assert not Path("ran").exists()
    Path("vpemetrics.toml").write_text('[sources.x]\ntype = "evil"\n', encoding="utf-8")
    assert '"evil"' in run(AS_A_COMMAND, "check", **variables).stderr
    assert not Path("ran").exists()


@pytest.mark.parametrize("kind", ["settings", "code", "pipe", "endless"])
def test_a_matplotlibrc_there_is_not_read(clone: Path, tmp_path: Path, kind: str) -> None:
    before = run(AS_A_COMMAND, "chart", "deployments", "-o", f"{tmp_path}/before.svg")
    assert before.returncode == 0, before.stderr
    match kind:
        case "settings":
            Path("matplotlibrc").write_text("path.sketch: 9, 9, 9\nodd: 1\n", encoding="utf-8")
        case "code":  # which the generator's frames lead to, in versions before 3.11
            Path("matplotlibrc").write_text(
                "axes.prop_cycle: (lambda q: (q.append((q[0].gi_frame.f_back.f_back.f_back"
                ".f_builtins['open']('ran', 'w') for _ in [1])), q[0].send(None)))([])\n",
                encoding="utf-8",
            )
        case "pipe":
            os.mkfifo("matplotlibrc")
        case "endless":
            Path("matplotlibrc").symlink_to("/dev/zero")

    after = run(AS_A_COMMAND, "chart", "deployments", "-o", f"{tmp_path}/after.svg")

    assert after.returncode == 0, after.stderr
    assert "Bad" not in after.stderr  # as matplotlib says of keys and values
    assert picture(tmp_path / "after.svg") == picture(tmp_path / "before.svg")
    assert not Path("ran").exists()
