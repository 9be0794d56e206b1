"""Fingerprints of settings: short texts that differ where something else would come out."""

import json
from dataclasses import asdict, is_dataclass
from hashlib import blake2b


def fingerprint(*decisive: object, size: int = 8) -> str:
    """Twice as many hexadecimal digits as `size`, of all that decides.

    Fingerprints are kept in stores: another one means to collect or to trace anew.
    So what is given has one spelling: numbers, texts, lists, dictionaries and dataclasses of
    these; whatever else has to print itself always in the same way.
    """
    return digest(json.dumps(decisive, default=_plain), size=size)


def digest(text: str, *, size: int = 8) -> str:
    """Twice as many hexadecimal digits as `size`, of a text."""
    return blake2b(text.encode(), digest_size=size).hexdigest()


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return str(value)
