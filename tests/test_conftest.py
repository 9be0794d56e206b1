"""A skip fails where nothing should be missing, so a green run is a run of everything."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parent / "conftest.py"

SUITE = """
import pytest

@pytest.mark.needs_moon
def test_at_night():
    pytest.skip("no moon")

@pytest.mark.skipif(True, reason="too tired")
def test_at_noon():
    pass
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    shutil.copy(CONFTEST, tmp_path)
    (tmp_path / "test_sky.py").write_text(SUITE, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = needs_moon: moonlight\n")
    return tmp_path


def run(suite: Path, *options: str) -> tuple[int, str]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-ra", "-p", "no:cacheprovider", *options],
        cwd=suite,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout


def test_skips_are_listed_and_harmless_by_default(suite: Path) -> None:
    code, output = run(suite)

    assert code == 0
    assert "no moon" in output
    assert "2 skipped" in output


def test_no_skips_fails_each_of_them_and_says_why(suite: Path) -> None:
    code, output = run(suite, "--no-skips")

    assert code == 1
    assert "no moon" in output
    assert "too tired" in output
    assert "1 failed, 1 error" in output  # a skip by a mark happens before the test proper


def test_a_marker_may_be_excused(suite: Path) -> None:
    code, output = run(suite, "--no-skips", "--may-skip=needs_moon")

    assert code == 1
    assert "1 skipped, 1 error" in output


def test_a_module_that_skips_itself_fails_too(suite: Path) -> None:
    (suite / "test_sky.py").write_text("import pytest\npytest.importorskip('no_such_moon')\n")

    code, output = run(suite, "--no-skips")

    assert code != 0
    assert "no_such_moon" in output
