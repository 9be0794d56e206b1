"""The licence of everything that comes with vpemetrics, as installed here.

    python benchmarks/licences.py

Ends with 1 if one of them is not among those that the project has agreed to. A licence is what
the package itself says: an SPDX expression, else its classifiers, else a short text.
https://packaging.python.org/en/latest/specifications/core-metadata/#license-expression
"""

import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageMetadata, distribution
from typing import Final, NamedTuple

from packaging.requirements import Requirement

EXTRAS: Final = ("postgresql",)
"""The extras that people install, besides what everybody has."""

AGREED: Final = frozenset(
    {
        "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "CNRI-Python", "HPND",
        "ISC", "LGPL-3.0-only", "LGPL-3.0-or-later", "MIT", "MIT-0", "MIT-CMU", "MPL-2.0",
        "PSF-2.0", "Zlib",
    }
)  # fmt: skip
"""Licences under which a package may be used beside our code, by their SPDX names.

Those of the LGPL and the MPL ask for nothing as long as the package itself is left as it is.
"""

_CLASSIFIED: Final = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "GNU Library or Lesser General Public License (LGPL)": "LGPL-3.0-or-later",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
_LONGEST: Final = 40
"""A text that is longer is the licence itself, and not its name."""
_NAME: Final = re.compile(r"[^()\s]+")


class Package(NamedTuple):
    """An installed package, and the licence it says it is under; empty if it says none."""

    name: str
    version: str
    licence: str

    @property
    def is_agreed(self) -> bool:
        """Tell whether each licence of the expression, or one of its alternatives, is agreed to."""
        if not self.licence:
            return False
        alternatives = re.split(r"\s+OR\s+", self.licence)
        return any(_names(alternative) <= AGREED for alternative in alternatives)


def _names(expression: str) -> set[str]:
    return {name for name in _NAME.findall(expression) if name != "AND"}


def packages(name: str, extras: tuple[str, ...] = EXTRAS) -> list[Package]:
    """A package and all that it takes, at first and second hand, by name."""
    found: dict[str, Package] = {}
    todo = [(name, extras)]
    while todo:
        name, wanted = todo.pop()
        if canonical(name) in found and not wanted:
            continue
        installed = distribution(name)
        found[canonical(name)] = Package(
            canonical(name), installed.version, licence_of(installed.metadata)
        )
        todo += _needed(installed.requires or [], wanted)
    return sorted(found.values())


def _needed(requires: list[str], extras: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for requirement in map(Requirement, requires):
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield requirement.name, tuple(sorted(requirement.extras))


def canonical(name: str) -> str:
    """The one spelling of a package's name."""
    return re.sub(r"[-_.]+", "-", name).lower()


def licence_of(metadata: PackageMetadata) -> str:
    """The SPDX expression of what a package says of its licence; empty if it says nothing."""
    said = metadata.get_all("License-Expression") or []
    classified = [
        _CLASSIFIED.get(text, text)
        for line in metadata.get_all("Classifier") or []
        if line.startswith("License :: ") and (text := line.rpartition(" :: ")[2])
    ]
    texts = [text for text in metadata.get_all("License") or [] if len(text) < _LONGEST]
    return next(iter([*said, *([" AND ".join(classified)] if classified else []), *texts]), "")


def main() -> int:
    """Print a line for each package; return 1 if there is one to look at."""
    found = packages("vpemetrics")
    for package in found:
        mark = "" if package.is_agreed else "   <- not agreed to"
        print(f"{package.name:24}{package.version:16}{package.licence or 'unknown'}{mark}")
    return 0 if all(package.is_agreed for package in found) else 1


if __name__ == "__main__":
    sys.exit(main())
