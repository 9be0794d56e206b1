"""Service level objectives that were met: read from a file that others keep, never computed."""

import csv
from pathlib import Path
from typing import Final

from vpemetrics.errors import FixConfiguration, FixInput
from vpemetrics.names import name_key

_TRUTHS: Final = {"true": True, "1": True, "false": False, "0": False}


def reliability(file: str | None, services: tuple[str, ...] | None = None) -> str | None:
    """The number of objectives that were met, in words; None without a file.

    The file is CSV with the columns `slo` and `met` (true or false), and `service` where an
    objective is one service's; `services` keeps theirs only. FixConfiguration if it cannot be
    read, FixInput if it says something else.
    """
    if file is None:
        return None
    path = Path(file)
    wanted = None if services is None else set(map(name_key, services))
    met = [truth for service, truth in _read(path) if wanted is None or name_key(service) in wanted]
    if not met:
        return f"no SLO in {path.name}"
    return f"SLOs met {sum(met)}/{len(met)} (source: {path.name})"


def _read(path: Path) -> list[tuple[str, bool]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            rows = csv.DictReader(lines)
            missing = {"slo", "met"} - set(rows.fieldnames or ())
            if missing:
                raise FixInput(f"{path}: there is no column {', '.join(sorted(missing))}")
            return [_parse(path, rows.line_num, row) for row in rows]
    except (OSError, UnicodeDecodeError) as error:
        raise FixConfiguration(
            f"{path}: cannot be read ({error}); reliability.file in the configuration names it"
        ) from error


def _parse(path: Path, line: int, row: dict[str, str | None]) -> tuple[str, bool]:
    met = (row["met"] or "").strip().casefold()
    if met not in _TRUTHS:
        raise FixInput(f"{path}:{line}: column met: {met!r} is neither true nor false")
    return (row.get("service") or "").strip(), _TRUTHS[met]
