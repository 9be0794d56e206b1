"""Makes the pictures of the README from the gallery in reports/; wants chromium or Chrome.

python docs/pictures/make.py
"""

import subprocess
import sys
from html import escape
from importlib import import_module
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory

from PIL import Image

from vpemetrics.reports import jsonreport
from vpemetrics.reports.charts import image
from vpemetrics.reports.registry import CHARTS

HERE = Path(__file__).parent
GALLERY = HERE.parents[1] / "reports"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
CHART = "lead_time"
TERMINAL = """<!DOCTYPE html><meta charset="utf-8"><style>
body {{ margin: 0; background: #1c1c1c; color: #e4e4e4 }}
pre {{ margin: 1rem 1.25rem; font: 15px/1.3 "DejaVu Sans Mono", Menlo, Consolas, monospace }}
</style><pre>{}</pre>"""


def main() -> None:
    """Writes terminal.png, page.png and lead_time.svg beside this file."""
    text = (GALLERY / "week.txt").read_text(encoding="utf-8")
    shown = text.partition("\nIn detail")[0]
    photograph(
        TERMINAL.format(escape(shown)), HERE / "terminal.png", 780, 20 * shown.count("\n") + 36
    )
    page = (GALLERY / "week.html").read_text(encoding="utf-8")
    photograph(page, HERE / "page.png", 1000, 1400)
    report = jsonreport.read((GALLERY / "week.json").read_bytes())
    module, attribute = CHARTS[CHART].split(":")
    picture = getattr(import_module(module), attribute)(report)
    (HERE / f"{CHART}.svg").write_bytes(image.svg(picture))


def photograph(page: str, target: Path, width: int, height: int) -> None:
    """A picture of the top of a page, in few colours."""
    browser = next(filter(None, map(which, BROWSERS)), None)
    if browser is None:
        sys.exit(f"none of {', '.join(BROWSERS)} is there to take pictures with")
    with TemporaryDirectory() as folder:
        source = Path(folder, "page.html")
        source.write_text(page, encoding="utf-8")
        options = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars")
        size = f"--window-size={width},{height}"
        command = [browser, *options, size, f"--screenshot={target}", source.as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
    with Image.open(target) as taken:
        taken.convert("RGB").quantize(64, Image.Quantize.MAXCOVERAGE).save(target, optimize=True)


if __name__ == "__main__":
    main()
