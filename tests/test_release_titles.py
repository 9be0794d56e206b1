"""Which titles name a version (rule C5)."""

import pytest

from vpemetrics.release_titles import names_version


@pytest.mark.parametrize(
    ("title", "version", "expected"),
    [
        ("release: 24.1.0", "24.1.0", True),
        ("Bump version to 0.1.2 (#123)", "v0.1.2", True),
        ("[maven-release-plugin] prepare release jenkins-2.479", "jenkins-2.479", True),
        ("v1.2.3.", "v1.2.3", True),
        ("Release v1.2.3", "@acme/cli@1.2.3", True),
        ("Release 1.2.3", "REL_1_2_3", True),
        ("Release 2024-05-13a", "release-2024-05-13a", True),
        ("release/1.2.3: last fixes", "v1.2.3", True),
        ("Release v41", "v41", True),
        ("Fix (#41)", "v41", False),  # a single number is many things
        ("Take 41 of them", "v41", False),
        ("Release 1.2.30", "1.2.3", False),
        ("Release 1.1.2.3", "1.2.3", False),
        ("Release 1.2.3.4", "1.2.3", False),
        ("Prepare 1.2.3-SNAPSHOT", "1.2.3", False),
        ("Release 1.2.3-rc1", "1.2.3", False),
        ("Release 1.2.3", "1.2.3-rc1", False),
        ("Support python3.12", "3.12", False),  # another thing's
        ("Release 1.0", "v1.0.0", False),
        ("Mend the cart", "v1.0", False),
        (None, "v1.0", False),
        ("Release 1.0", None, False),
        ("1" * 200, "1" * 200, False),
    ],
)
def test_a_title_names_a_version_as_a_whole(
    title: str | None, version: str | None, expected: bool
) -> None:
    assert names_version(title, version) is expected
