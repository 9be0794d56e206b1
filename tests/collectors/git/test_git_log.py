"""Times that git tells, as an array and one by one."""

import pytest

from vpemetrics.collectors.git.log import instants, moment
from vpemetrics.record_columns import to_instants


@pytest.mark.parametrize(
    "seconds",
    [
        [],
        ["1767225600", "0", "-1"],
        ["-62135596800", "253402300799"],  # the years 1 and 9999
        ["-62135596801", "253402300800"],
        ["9223372036854775807", "-9223372036854775808"],
        ["1767225600", "9" * 30],
        ["", "1767225600"],
        ["soon", "1767225600"],
    ],
)
def test_moments_are_the_same_in_an_array_as_one_by_one(seconds: list[str]) -> None:
    assert instants(seconds).tolist() == to_instants(list(map(moment, seconds))).tolist()
