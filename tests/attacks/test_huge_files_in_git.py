"""Files in a repository that are larger than any of their kind: left out by name, never held."""

import tracemalloc
from pathlib import Path

import pytest
from gitrepository import NOW, Collected, GitRepository, new_repository
from hypothesis import given
from hypothesis import strategies as st
from tiers import law

from vpemetrics.collectors.git.clone import look_at
from vpemetrics.collectors.git.commands import Git, GitFailed
from vpemetrics.collectors.git.survey import overview_of
from vpemetrics.collectors.gitops.files import read_blobs
from vpemetrics.collectors.gitops.options import Options
from vpemetrics.collectors.registry import collector_of
from vpemetrics.config.secrets import resolve
from vpemetrics.errors import FixConfiguration
from vpemetrics.rules import Rules

pytestmark = pytest.mark.slow

MIB = 2**20
HUGE = 200 * MIB


@pytest.fixture
def repository(tmp_path: Path) -> GitRepository:
    return new_repository(tmp_path / "config")


def put(repository: GitRepository, path: str, content: bytes) -> None:
    """Commit a file, whose content is written by git alone."""
    blob = repository.git("hash-object", "-w", "--stdin", given=content)
    repository.git("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}")
    repository.git("commit", "-q", "-m", f"Change {path}")


def test_a_manifest_of_that_size_is_left_out_and_the_rest_goes_on(
    repository: GitRepository, tmp_path: Path
) -> None:
    put(repository, "live/shop.yaml", b"tag: v1\n")
    put(repository, "live/huge.yaml", b"tag: v1\n" + b"#" * HUGE)
    put(repository, "live/till.yaml", b"tag: v1\n")
    collected = Collected(
        options=Options(
            path="config",
            file=r"(?P<environment>\w+)/(?P<service>\w+)\.yaml",
            value="tag",
        ),
        collector=collector_of("gitops"),
        rules=Rules(),
        folder=tmp_path,
    )

    tracemalloc.start()
    found = collected.again()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert sorted(one.service or "" for one in found.deployments.values()) == ["shop", "till"]
    [why] = found.left_out
    assert "config: live/huge.yaml at " in why
    assert why.endswith(" is larger than 8 MiB")
    assert most < HUGE / 4


@pytest.fixture(scope="module")
def sizes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Git, dict[str, bytes]]:
    """A repository of files of many sizes, by their ids."""
    made = new_repository(tmp_path_factory.mktemp("sizes"))
    contents = [bytes([65 + at]) * size for at, size in enumerate((0, 1, 9, 10, 11, 4096, MIB))]
    contents += [b"\n" * 10, b"1 blob 2\n" * 3]
    blobs = {made.git("hash-object", "-w", "--stdin", given=one): one for one in contents}
    return Git(path=made.path), blobs


@law(20, soak=500)
@given(data=st.data())
def test_what_is_small_enough_is_read_whole_and_in_order(
    sizes: tuple[Git, dict[str, bytes]], data: st.DataObject
) -> None:
    git, blobs = sizes
    asked = data.draw(st.lists(st.sampled_from(sorted(blobs)), max_size=30))
    most = data.draw(st.sampled_from((0, 9, 10, 4096, MIB)))

    found = list(read_blobs(git, asked, most))

    expected = [blobs[blob] for blob in asked]
    assert found == [content if len(content) <= most else None for content in expected]


def test_owners_in_a_file_that_nobody_loads_own_nothing(repository: GitRepository) -> None:
    put(repository, "CODEOWNERS", b"* @acme/shop\n" + b"#" * HUGE)
    put(repository, "catalog-info.yaml", b"#" * (3 * MIB))

    found = overview_of(look_at(Git(path=repository.path)), NOW)

    assert found.codeowners is None
    assert found.catalog == "#" * (3 * MIB)


def test_what_git_complains_of_without_end_is_told_in_short(repository: GitRepository) -> None:
    folder = repository.path / ".git" / "objects" / "00"
    folder.mkdir()
    for number in range(500):
        (folder / f"{number:038x}").write_bytes(b"no object")

    with pytest.raises(GitFailed) as failed:
        Git(path=repository.path).text("fsck")

    assert str(failed.value).count("\n") > 10
    assert len(str(failed.value)) < 20_000


def test_a_secret_is_no_device(tmp_path: Path) -> None:
    with pytest.raises(FixConfiguration, match="holds more than a secret"):
        resolve("file:/dev/zero", {}, folder=tmp_path)
