import numpy as np

from vpemetrics.explain.frames import frame
from vpemetrics.metrics.table import Table, texts


def test_a_frame_has_every_column_of_an_empty_part_too() -> None:
    fruit = Table.of({"name": texts(["fig", "pea"]), "weight": np.array([50, 0])})

    assert frame(fruit).weight.tolist() == [50, 0]
    assert frame(fruit.between(0, 0).between(0, 0)).columns.tolist() == ["name", "weight"]
