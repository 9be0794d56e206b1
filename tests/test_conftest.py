"""A green run is a run of everything: skips fail, and what soaks has its own run."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from subprocesses import PATIENCE

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


TIERS = """
from hypothesis import given, strategies as st
import pytest
from tiers import law, scored

seen, plain = [], []

@scored("kills", 3, soak=20)
def test_kills(kills):
    assert kills in (3, 20)

@law(9, soak=11)
@given(st.integers())
def test_a_law(number):
    seen.append(number)

@given(st.integers())
def test_of_any_number(number):
    plain.append(number)

@pytest.mark.slow
def test_slowly():
    assert not seen  # it came first

def test_counted():
    assert (len(seen), len(plain)) == EXAMPLES

@pytest.mark.soak
def test_counted_when_soaked():
    assert len(seen) == 11
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    shutil.copy(CONFTEST, tmp_path)
    (tmp_path / "test_sky.py").write_text(SUITE, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = needs_moon: moonlight\n")
    return tmp_path


def run(suite: Path, *options: str) -> tuple[int, str]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    environment["PYTHONPATH"] = str(CONFTEST.parent)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-ra", "-p", "no:cacheprovider", *options],
        cwd=suite,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.mark.slow
def test_skips_are_listed_and_harmless_by_default(suite: Path) -> None:
    code, output = run(suite)

    assert code == 0
    assert "no moon" in output
    assert "2 skipped" in output


@pytest.mark.slow
def test_no_skips_fails_each_of_them_and_says_why(suite: Path) -> None:
    code, output = run(suite, "--no-skips")

    assert code == 1
    assert "no moon" in output
    assert "too tired" in output
    assert "1 failed, 1 error" in output  # a skip by a mark happens before the test proper


@pytest.mark.slow
def test_a_marker_may_be_excused(suite: Path) -> None:
    code, output = run(suite, "--no-skips", "--may-skip=needs_moon")

    assert code == 1
    assert "1 skipped, 1 error" in output


@pytest.mark.slow
def test_a_module_that_skips_itself_fails_too(suite: Path) -> None:
    (suite / "test_sky.py").write_text("import pytest\npytest.importorskip('no_such_moon')\n")

    code, output = run(suite, "--no-skips")

    assert code != 0
    assert "no_such_moon" in output


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "outcome", "examples"),
    [
        ([], "5 passed, 2 deselected", (9, 50)),
        (["-m", "not slow"], "4 passed, 3 deselected", (3, 16)),
        (["--soak"], "3 passed, 4 deselected", (11, 0)),
    ],
)
def test_each_tier_runs_its_own(
    suite: Path, options: list[str], outcome: str, examples: tuple[int, int]
) -> None:
    (suite / "test_sky.py").write_text(f"EXAMPLES = {examples}\n{TIERS}", encoding="utf-8")
    markers = "slow: s\n law: l\n soak: s\n"
    (suite / "pytest.ini").write_text(f"[pytest]\nmarkers = {markers}", encoding="utf-8")

    code, output = run(suite, *options)

    assert code == 0, output
    assert outcome in output
