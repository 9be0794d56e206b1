"""What a test needs to run vpemetrics in a process of its own."""

import os
from pathlib import Path

import vpemetrics

PATIENCE = 300
"""How many seconds a test waits for what has to come: only what hangs takes as long."""


def environment() -> dict[str, str]:
    """The environment, in which Python finds the vpemetrics under test."""
    package = Path(vpemetrics.__file__).parent
    return os.environ | {"PYTHONPATH": str(package.parent)}
