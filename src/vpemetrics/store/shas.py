"""Shas: the bytes they are kept as, and the integers by which commits are told apart.

A sha is 20 or 32 bytes; lists of them are those bytes one after the other. Records may name a
commit by any other text too, as long as nobody else does: such lists are kept as texts.

A commit's id follows from its sha alone. So it needs no table to look it up in, is the same in
every repository, source and store, and does not depend on what came first.
"""

import json
from binascii import Error as NoHexadecimal
from binascii import unhexlify
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]

SHORTEST: Final = 7
"""The least digits by which a commit may be named."""

_HEXADECIMAL: Final = frozenset("0123456789abcdef")
_BYTES: Final = (20, 32)
"""The lengths of SHA-1 and SHA-256: https://git-scm.com/docs/hash-function-transition."""
_ODD: Final = b"\0"
_FACTOR: Final = np.uint64(0x9E3779B97F4A7C15)
"""An odd number with its bits spread: https://doi.org/10.1145/2660193.2660195 (SplitMix)."""
_HALF: Final = np.uint64(32)
_SPARE: Final = np.uint64(2)
"""The bits of 64 that an id has not: it has a sign, and two together are an integer still."""


def commit_id(sha: str) -> int:
    """The id of a commit by its whole sha; never 0, so that minus it is something else."""
    return int(Shas.of([sha]).ids[0])


def is_beginning(text: str) -> bool:
    """Tell whether a text can be a sha, or the first seven or more characters of one."""
    return len(text) >= SHORTEST and _HEXADECIMAL.issuperset(text.lower())


def is_whole(sha: str) -> bool:
    """Tell whether a text is a whole sha, in lower case."""
    return len(sha) // 2 in _BYTES and len(sha) % 2 == 0 and _HEXADECIMAL.issuperset(sha)


@dataclass(frozen=True, eq=False)
class Shas:
    """A column of shas: bytes of one length each, or texts where one of them has no such bytes."""

    values: NDArray[Any]

    @classmethod
    def of(cls, texts: Sequence[str]) -> "Shas":
        """A column of these, however they are written."""
        lengths = set(map(len, texts))
        for length in _BYTES:
            if lengths == {2 * length}:
                try:
                    data = unhexlify("".join(texts))
                except (NoHexadecimal, ValueError):
                    break
                return cls(np.frombuffer(data, dtype=f"V{length}"))
        return cls(_objects([text.lower() for text in texts]))

    @classmethod
    def together(cls, columns: Iterable["Shas"]) -> "Shas":
        """Columns, one after the other."""
        columns = [column for column in columns if len(column)]
        if len({column.values.dtype for column in columns}) == 1:
            return cls(np.concatenate([column.values for column in columns]))
        return cls(_objects([text for column in columns for text in column.texts()]))

    @classmethod
    def unpack_all(cls, packed: Iterable[bytes]) -> list["Shas"]:
        """All shas of many lists, those of one length together."""
        of_length: dict[int, list[bytes]] = {}
        for data in packed:
            of_length.setdefault(data[0], []).append(data)
        odd = of_length.pop(_ODD[0], ())
        return [
            *(cls.unpack(bytes([length]) + b"".join(data[1:] for data in lists))
              for length, lists in of_length.items()),
            *map(cls.unpack, odd),
        ]  # fmt: skip

    @classmethod
    def unpack(cls, packed: bytes) -> "Shas":
        """The column that was packed. ValueError for what none is packed as."""
        length = packed[0] if packed else 0
        if length in _BYTES:
            return cls(np.frombuffer(packed, dtype=f"V{length}", offset=1))
        if packed[:1] != _ODD:
            raise ValueError("no shas")
        return cls(_objects(json.loads(packed[1:])))

    def pack(self) -> bytes:
        """The column as bytes: the length of each, and then all of them."""
        if self.values.dtype == object:
            return _ODD + json.dumps(self.values.tolist()).encode()
        return bytes([self.values.dtype.itemsize]) + self.values.tobytes()

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: Any) -> "Shas":
        """Some of them."""
        return Shas(self.values[rows])

    def texts(self) -> list[str]:
        """The shas as people write them."""
        if self.values.dtype == object:
            texts: list[str] = self.values.tolist()
            return texts
        digits, width = self.values.tobytes().hex(), 2 * self.values.dtype.itemsize
        return [digits[at : at + width] for at in range(0, len(digits), width)]

    def like(self, wanted: "Beginnings") -> list[str]:
        """Those that begin so, and some that nearly do."""
        if self.values.dtype == object:
            return [text for text in self.values if text[:SHORTEST] in wanted.texts]
        # Most are out of the question by their first two bytes already.
        rows = np.flatnonzero(wanted.near[self._signs[:, :2].copy().view(">u2").ravel()])
        first = self._signs[rows, :4].copy().view(">u4").ravel().astype(np.int64) >> 4
        return self.take(rows[np.isin(first, wanted.numbers)]).texts()

    @cached_property
    def ids(self) -> Ids:
        """The ids of the commits, as `commit_id` has them."""
        if self.values.dtype == object:
            return np.array(list(map(_id_of_text, self.values)), dtype=np.int64)
        if not len(self):
            return _NOTHING
        # Shas of git are as if drawn by lot, those that people make up are not: all bytes count.
        padded = np.zeros((len(self), -(-self._signs.shape[1] // 8) * 8), dtype=np.uint8)
        padded[:, : self._signs.shape[1]] = self._signs
        mixed = np.zeros(len(self), dtype=np.uint64)
        for words in padded.view("<u8").T:
            mixed = (mixed ^ words) * _FACTOR
            mixed ^= mixed >> _HALF
        ids: Ids = np.maximum((mixed * _FACTOR) >> _SPARE, 1).astype(np.int64)
        return ids

    @property
    def _signs(self) -> NDArray[np.uint8]:
        width = self.values.dtype.itemsize
        signs: NDArray[np.uint8] = self.values.view(np.uint8).reshape(len(self), width)
        return signs


class Beginnings:
    """The beginnings of shas that are looked for: `numbers` of their first seven digits."""

    def __init__(self, beginnings: Iterable[str]) -> None:
        """Prepare to look for beginnings, of which `is_beginning` is true."""
        self.texts = {text[:SHORTEST] for text in beginnings}
        self.numbers = np.array([int(text, 16) for text in self.texts], dtype=np.int64)
        self.near = np.zeros(2**16, dtype=bool)
        """True at the first four digits of any."""
        self.near[self.numbers >> 12] = True


def _id_of_text(text: str) -> int:
    """The id of a commit by any text; of a sha the same as among others of its length."""
    if is_whole(text):
        return commit_id(text)
    mixed = int.from_bytes(blake2b(text.encode("utf-8", "replace"), digest_size=8).digest())
    return max(mixed >> int(_SPARE), 1)


def pack(shas: Sequence[str]) -> bytes:
    """A list of shas as bytes."""
    return Shas.of(shas).pack()


def unpack(packed: bytes) -> tuple[str, ...]:
    """The shas of a list that was packed."""
    return tuple(Shas.unpack(packed).texts())


def unpack_one(packed: bytes | None) -> str | None:
    """The sha that was packed alone."""
    return None if packed is None else unpack(packed)[0]


def pack_each(lists: Sequence[Sequence[str] | None]) -> list[bytes | None]:
    """Lists of shas as bytes, None for one without any."""
    together = Shas.of([sha for shas in lists for sha in shas or ()])
    if together.values.dtype == object:
        return [pack(shas) if shas else None for shas in lists]
    mark, data = bytes([together.values.dtype.itemsize]), together.values.tobytes()
    ends = (
        np.cumsum([len(shas or ()) for shas in lists]) * together.values.dtype.itemsize
    ).tolist()
    return [
        mark + data[start:end] if end > start else None
        for start, end in zip([0, *ends], ends, strict=False)
    ]


def ids_of_packed(lengths: NDArray[np.int64], data: bytes) -> tuple[Ids, Ids]:
    """The lengths of lists that lie packed one after the other, and the ids in all of them.

    `lengths` are those of their bytes; of no bytes is a list without any.
    """
    signs = np.frombuffer(data, dtype=np.uint8)
    starts = (np.cumsum(lengths) - lengths)[lengths > 0]
    for length in _BYTES:
        if (signs[starts] == length).all():
            told = np.ones(len(signs), dtype=bool)
            told[starts] = False  # the marks
            return lengths // length, Shas(signs[told].view(f"V{length}")).ids
    ends = np.cumsum(lengths).tolist()
    lists = [data[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    columns = [Shas.unpack(packed).ids if packed else _NOTHING for packed in lists]
    return np.array(list(map(len, columns)), dtype=np.int64), np.concatenate(columns)


def _objects(texts: Sequence[str]) -> NDArray[Any]:
    values = np.empty(len(texts), dtype=object)
    values[:] = texts
    return values


_NOTHING: Ids = np.empty(0, dtype=np.int64)
