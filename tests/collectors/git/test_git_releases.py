"""What tags tell of themselves and of the commits that they stand for."""

from pathlib import Path

from gitrepository import GitRepository, collected, copy_of

SAYS = "light_tag", "release_commit"


def releases(shop: GitRepository) -> None:
    shop.commit("Begin")
    shop.commit("Release v1.0 (#3)")
    shop.tag("v1.0")
    shop.commit("Mend the cart")
    shop.tag("v1.1", message="With a message")
    shop.tag("cart/v1.1")
    shop.merge("HEAD~1", "Merge pull request #5 from acme/release\n\nVersion 1.2")
    shop.tag("v1.2")


def test_a_tag_tells_if_it_is_light_and_if_its_commit_names_it(tmp_path: Path) -> None:
    shop = copy_of(releases, tmp_path / "shop")

    found = collected(shop.path)
    shop.tag("v0.9", "HEAD~3")  # of a commit that was read before
    again = found.again()

    assert {id_: (one.light_tag, one.release_commit) for id_, one in again.deployments.items()} == {
        "v1.0": (True, True),
        "v1.1": (False, False),
        "cart/v1.1": (True, False),
        "v1.2": (True, True),
        "v0.9": (True, False),
    }


def test_commits_that_are_deployments_are_no_tags(tmp_path: Path) -> None:
    shop = copy_of(releases, tmp_path / "shop")

    found = collected(shop.path, deployments="commits").deployments.values()

    assert {(one.light_tag, one.release_commit) for one in found} == {(None, None)}
