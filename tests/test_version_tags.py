import pytest

from vpemetrics.collectors.git.options import Options
from vpemetrics.version_tags import (
    Tag,
    deployed_tags,
    environment_of,
    is_release,
    service_of,
)

RELEASES = """
    v1.2.3 1.2.3 V1.2 v41 2024.05.1 2024-05-01 20240501 1.2.3.4 v1.2.3+dedupelabels 1.0.post1
    1.2.3-1 1.2.3-hotfix1 v1.2.3-patch.2 5.0.0.Final 5.0.0.RELEASE 5.2.1-release 1.0.2k
    release-7 release_1234 release/1.2 rel_1_2_3 version-1.2 web/v1.2 web-1.2 web@1.2.3
    @acme/web@1.2.3 server/v3.5.0 client/pkg/v3.5.0 shop-v41
    v1.0.0-1 v2026.09.08-3 web/v1.0.0-2 staging/v1.1.0 stg-1.1 shop/prod-v1.1 production_41 dev/v2.0
    shop-canary/2026.1
"""
OTHERS = """
    v1.2.3-rc1 v1.2.3-rc.1 1.2rc1 1.2.3-alpha 1.0a1 1.0b2 2.0.dev0 v1.0-beta.2 1.0-SNAPSHOT
    v1.0.0-preview.1 1.0-M1 v1.0.0-rc.0+dedupelabels v2.0.0-nightly.20240501 v1.0-canary.3
    web/v1.2-rc1 nightly latest build-41 jenkins-shop-12 v1.2.3-retract dev checkout v
    release_zForTesting rails-6-test 0.5.x discovery-handle
"""


@pytest.mark.parametrize(
    "name",
    RELEASES.split(),
)
def test_a_version_is_a_release(name: str) -> None:
    assert is_release(name)


@pytest.mark.parametrize(
    "name",
    OTHERS.split(),
)
def test_a_pre_release_or_any_other_tag_is_none(name: str) -> None:
    assert not is_release(name)


@pytest.mark.parametrize(
    ("name", "service"),
    [
        ("v1.2", None),
        ("release-7", None),
        ("shop-1.2", None),  # the repository's own name
        ("Shop/v1.2", None),
        ("web/v1.2", "web"),
        ("web-1.2", "web"),
        ("web-v1.2-hotfix1", "web"),
        ("client/pkg/v3.5.0", "client/pkg"),
        ("@acme/web@1.2.3", "@acme/web"),
        ("2024-05-01", None),
        ("v1.0.0-1", None),
        ("web/v1.0.0-2", "web"),
        ("staging/v1.1.0", None),
        ("prod-1.2", None),
        ("Live/v1.2", None),
        ("web/staging/v1.1.0", "web"),
        ("web-prod-v1.1.0", "web"),
        ("staging-server/v1.1.0", "staging-server"),  # only where it stands last
        ("anything", None),
    ],
)
def test_a_name_before_the_version_is_a_service(name: str, service: str | None) -> None:
    assert service_of(name, "acme/shop") == service


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        ((), ["v1.0", "web/v2.0"]),
        (("v*",), ["v1.0", "v1.1-rc1"]),  # a pattern means what it says
        (("v*", "!*-rc*"), ["v1.0"]),
        (("!*rc1",), ["v1.0", "web/v2.0", "live"]),
        (("live",), ["live"]),
    ],
)
def test_patterns_choose_the_tags(patterns: tuple[str, ...], expected: list[str]) -> None:
    names = ("v1.0", "v1.1-rc1", "web/v2.0", "live")
    tags = [Tag(name, name, "0") for name in names]

    assert [tag.name for tag in deployed_tags(tags, patterns)] == expected


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("v3.11.0@a:100 v0.311.0@a:500 v3.11.1@b:300 v0.311.1@b:300", "v3.11.0 v3.11.1"),
        ("v1.0@a:100 web/v1.0@a:100 web/v1.1@a:100", "v1.0 web/v1.1"),
        ("v1.0@a:100 v1.1@b:100 v1.0.1@a:90", "v1.1 v1.0.1"),
    ],
)
def test_a_commit_is_released_once_under_a_name(tags: str, expected: str) -> None:
    said = (one.replace("@", " ").replace(":", " ").split() for one in tags.split())
    found = [Tag(name, commit, seconds) for name, commit, seconds in said]

    assert [tag.name for tag in deployed_tags(found, ())] == expected.split()
    assert deployed_tags(found, ["*"]) == found  # a pattern means what it says


@pytest.mark.parametrize(
    ("name", "environment"),
    [
        ("v1.1.0", None),
        ("staging/v1.1.0", "staging"),
        ("STG-1.1.0", "stg"),
        ("web/uat_v1.1.0", "uat"),
        ("prod/v1.1.0", None),  # what the source calls production
        ("live-1.1.0", None),
        ("latest/v1.1.0", None),
        ("qa", None),
    ],
)
def test_a_word_before_the_version_may_be_an_environment(name: str, environment: str) -> None:
    assert environment_of(name) == environment


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("v1.0.0-1:1 v1.0.0-2:2 v1.0.0-3:3", "v1.0.0-1 v1.0.0-2 v1.0.0-3"),
        ("1.0.0-1:1 1.0.0-2:2 1.0.0:9", "1.0.0"),  # before the version
        ("1.0.0:1 1.0.0-1:2 1.0.0-2:9", "1.0.0 1.0.0-1 1.0.0-2"),  # after it
        ("v2.0-0:1 v2.0-1:2", ""),  # who counts from 0 counts towards it
        ("v2.0-0:1 v2.0-1:2 v2.0:3 v2.1-1:4", "v2.0 v2.1-1"),
        ("v1.0:1 staging/v1.1:2 v1.1:3", "v1.0 staging/v1.1 v1.1"),
        ("v1.0:1 staging/v1.1:2 prod/v1.1:3 v1.2:4", "staging/v1.1 prod/v1.1"),
    ],
)
def test_builds_and_environments_are_told_apart(tags: str, expected: str) -> None:
    said = (one.split(":") for one in tags.split())
    found = [Tag(name, name, seconds) for name, seconds in said]

    assert [tag.name for tag in deployed_tags(found, ())] == expected.split()


def test_a_commit_may_be_released_to_several_environments() -> None:
    tags = [Tag(name, "a", "1") for name in ("staging/v1.1", "prod/v1.1", "stg/v1.1", "prod/v1.2")]

    found = [tag.name for tag in deployed_tags(tags, ())]

    assert found == ["staging/v1.1", "stg/v1.1", "prod/v1.2"]  # the higher of one moment


def test_brackets_in_a_pattern_are_a_mistake() -> None:
    with pytest.raises(ValueError, match=r"'v\[1-9\]\*': only \* and \? stand"):
        Options(tags=("v[1-9]*",))
