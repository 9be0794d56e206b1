"""Frames of pandas: explanations sort and group what a report only counts."""

from typing import Any

import pandas as pd

from vpemetrics.metrics.table import Table

Rows = Any
"""A frame of a slice's table, or one row of it."""


def frame(table: Table) -> pd.DataFrame:
    """The table as a frame."""
    return pd.DataFrame({name: table[name] for name in table.names})
