import numpy as np
import pytest

from vpemetrics.metrics.table import (
    Table,
    distinct,
    first_of_each,
    is_one_of,
    look_up,
    occurrences,
    texts,
)


def fruit() -> Table:
    return Table.of({"name": texts(["fig", None, "pear"]), "weight": np.array([50, 0, 180])})


def test_a_part_has_the_columns_of_the_whole() -> None:
    table = fruit()

    assert table.between(1, 3)["weight"].tolist() == [0, 180]
    assert table.between(2, 1)["weight"].tolist() == []
    assert table.at(np.array([2, 0]))["name"].tolist() == ["pear", "fig"]
    assert table.where(table["weight"] > 0)["name"].tolist() == ["fig", "pear"]
    assert table.sort_by("weight")["name"].tolist() == [None, "fig", "pear"]


@pytest.mark.parametrize(("start", "end"), [(0, 3), (1, 2), (2, 2), (2, 1)])
def test_a_part_knows_its_length_before_its_columns_are_cut(start: int, end: int) -> None:
    part = fruit().between(start, end)

    assert len(part) == len(part["weight"]) == max(end - start, 0)


def test_a_part_of_a_part_is_a_part() -> None:
    heavy = fruit().where(np.array([True, False, True])).between(1, 2)

    assert (len(heavy), heavy["name"].tolist()) == (1, ["pear"])


def test_columns_are_added_and_replaced_beside_the_others() -> None:
    table = fruit()
    doubled = table.with_columns(weight=table["weight"] * 2, ripe=np.array([True, False, True]))

    assert doubled.between(0, 1)["weight"].tolist() == [100]
    assert doubled.names == ("name", "weight", "ripe")
    assert table["weight"].tolist() == [50, 0, 180]  # as it was


def test_an_unknown_column_is_an_error_that_names_it() -> None:
    with pytest.raises(KeyError, match="colour"):
        fruit().between(0, 1)["colour"]


def test_rows_have_every_column() -> None:
    table = fruit()
    (first, *_) = table.rows()

    assert (first.name, first.weight) == ("fig", 50)


def test_texts_are_found_counted_and_told_apart() -> None:
    assert is_one_of(texts(["a", None, "b"]), ("b", None)).tolist() == [False, True, True]
    assert texts([("a", "b"), ()]).tolist() == [("a", "b"), ()]
    assert first_of_each(np.array([7, 3, 7, 3, 1])).tolist() == [0, 1, 4]
    assert occurrences(np.array([7, 1, 3]), np.array([3, 7, 3])).tolist() == [1, 0, 2]


def test_a_value_is_looked_up_by_its_key() -> None:
    keys, values = np.array([7, 3, 5]), np.array([70, 30, 50])

    assert look_up(np.array([5, 4, 7, 9, 1]), keys, values, -1).tolist() == [50, -1, 70, -1, -1]
    assert look_up(np.array([5]), keys[:0], values[:0], -1).tolist() == [-1]


@pytest.mark.parametrize(("numbers", "count"), [([7, 3, 7, 3, 1], 3), ([2], 1), ([], 0)])
def test_different_numbers_are_counted(numbers: list[int], count: int) -> None:
    assert distinct(np.array(numbers, dtype=np.int64)) == count
