"""Arrays of integers as bytes in a column; little-endian."""

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt

_RUN = 8

Ints = npt.NDArray[np.int64]


def to_bytes(dtype: str, values: Collection[int] | Ints) -> bytes:
    """The bytes of a column of a history."""
    values = values if isinstance(values, np.ndarray) else list(values)
    return np.asarray(values, dtype=dtype).tobytes()


def from_bytes(dtype: str, data: bytes) -> Ints:
    """A column of a history from its bytes."""
    return np.frombuffer(data, dtype=dtype).astype(np.int64)


def pack(lists: Sequence[Ints]) -> list[bytes]:
    """Ascending ids, each list as the runs it is made of: where one begins and how long it is."""
    if not lists:
        return []
    ids = np.concatenate(lists)
    owner = np.repeat(np.arange(len(lists)), [len(members) for members in lists])
    if not len(ids):
        return [b""] * len(lists)
    begins = np.flatnonzero(np.r_[True, (np.diff(ids) != 1) | (np.diff(owner) != 0)])
    runs = np.stack([ids[begins], np.diff(np.r_[begins, len(ids)])], axis=1)
    data = runs.astype("<u4").tobytes()
    ends = np.searchsorted(owner[begins], np.arange(len(lists)), side="right") * _RUN
    return [data[a:b] for a, b in zip([0, *ends.tolist()], ends.tolist(), strict=False)]


def unpack(lists: Sequence[bytes]) -> tuple[Ints, Ints]:
    """The ids of packed lists, one after the other, and for each the number of its list."""
    runs = np.frombuffer(b"".join(lists), dtype="<u4").reshape(-1, 2).astype(np.int64)
    begins, lengths = runs[:, 0], runs[:, 1]
    ends = np.cumsum(lengths)
    within = np.arange(int(lengths.sum())) - np.repeat(ends - lengths, lengths)
    owner = np.repeat(np.arange(len(lists)), [len(packed) // _RUN for packed in lists])
    return np.repeat(begins, lengths) + within, np.repeat(owner, lengths)
