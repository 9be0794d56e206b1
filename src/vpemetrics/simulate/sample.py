"""The made-up organisation that comes along; `python -m vpemetrics.simulate.sample` writes it."""

from datetime import date
from pathlib import Path

from vpemetrics.simulate.files import RecordFiles
from vpemetrics.simulate.organisation import records_of
from vpemetrics.simulate.plan import Plan, configuration

FOLDER = Path(__file__).parent / "sample"

PLAN = Plan(
    services=("checkout", "search", "accounts", "notifications"),
    two_regions=frozenset({"checkout"}),
    ends=date(2026, 9, 7),
    weeks=30,
    commits=1150,
    changes=330,
    deployments=230,
    incidents=26,
    seed=2643,  # holds an example of everything; tests/simulate/test_sample.py has the list
)


def write_sample(folder: Path = FOLDER) -> None:
    """Make the sample anew; it is the same to the byte every time."""
    with RecordFiles(folder) as files:
        for record in records_of(PLAN, source="files"):
            files.write(record)
    (folder / "vpemetrics.toml").write_text(configuration(PLAN), encoding="utf-8")


if __name__ == "__main__":
    write_sample()
