"""The page as a browser lays it out: on a phone, a desk and paper."""

import json
import re
import subprocess
from html import escape
from pathlib import Path
from shutil import which

import pytest
from example_reports import EXAMPLES
from subprocesses import PATIENCE

from vpemetrics.reports.page import render

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WIDTHS = (320, 390, 768, 1280)

# The page stands in frames of several widths, and what does not fit is written into the body.
FRAMES = """<!DOCTYPE html><meta charset="utf-8"><body>{frames}<script>
addEventListener("load", () => {{
  const found = {{}};
  for (const frame of document.querySelectorAll("iframe")) {{
    const page = frame.contentDocument.documentElement;
    found[frame.width] = page.scrollWidth - page.clientWidth;
  }}
  document.body.textContent = "found " + JSON.stringify(found) + " end";
}});
</script>"""

# Small siblings: the structure of the page in test_page.
pytestmark = [pytest.mark.soak, pytest.mark.needs_browser]


@pytest.fixture(scope="module")
def browser() -> str:
    found = next(filter(None, map(which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"none of {', '.join(BROWSERS)} is here")
    return found


def run(browser: str, page: Path, *options: str) -> str:
    quiet = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync")
    offline = ("--disable-background-networking", "--disable-component-update", "--disable-quic")
    profile = f"--user-data-dir={page.parent / 'profile'}"
    done = subprocess.run(
        [browser, *quiet, *offline, profile, *options, page.as_uri()],
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize("name", EXAMPLES)
def test_nothing_sticks_out_at_any_width(browser: str, tmp_path: Path, name: str) -> None:
    page = escape(render(EXAMPLES[name]()).decode())
    frames = "".join(
        f'<iframe width="{width}" height="800" srcdoc="{page}"></iframe>' for width in WIDTHS
    )
    source = tmp_path / "frames.html"
    source.write_text(FRAMES.format(frames=frames), encoding="utf-8")

    shown = re.search(r"found (\{.*?\}) end", run(browser, source, "--dump-dom"))

    assert shown
    assert json.loads(shown[1]) == {str(width): 0 for width in WIDTHS}


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_prints_on_a_few_sheets(browser: str, tmp_path: Path, name: str) -> None:
    source, paper = tmp_path / "page.html", tmp_path / "page.pdf"
    source.write_bytes(render(EXAMPLES[name]()))

    run(browser, source, f"--print-to-pdf={paper}", "--no-pdf-header-footer")

    assert 1 <= len(re.findall(rb"/Type\s*/Page\b", paper.read_bytes())) <= 4


@pytest.mark.parametrize("name", EXAMPLES)
def test_its_policy_blocks_nothing_of_its_own_and_all_else(
    browser: str, tmp_path: Path, name: str
) -> None:
    source, page = tmp_path / "page.html", render(EXAMPLES[name]()).decode()
    source.write_text(page, encoding="utf-8")
    tried = tmp_path / "tried.html"
    tried.write_text(
        page.replace("</body>", "<script>document.title = 'ran'</script></body>"), encoding="utf-8"
    )

    own = refusals(browser, source)
    run_script = refusals(browser, tried)

    assert own == []
    assert len(run_script) == 1


def refusals(browser: str, page: Path) -> list[str]:
    """What the browser says that a policy kept it from."""
    log = page.with_suffix(".log")
    run(browser, page, "--enable-logging", f"--log-file={log}", "--v=0", "--dump-dom")
    return re.findall(r"CONSOLE.*Content Security Policy.*", log.read_text(encoding="utf-8"))
