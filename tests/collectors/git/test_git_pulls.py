from pathlib import Path

import pytest
from gitrepository import GitRepository, collected, new_repository


@pytest.fixture
def shop(tmp_path: Path) -> GitRepository:
    """A repository with one commit."""
    repository = new_repository(tmp_path / "shop")
    repository.commit("Begin")
    return repository


def pull(shop: GitRepository, number: int, *messages: str) -> list[str]:
    """The commits of a pull request, kept at its head; main is checked out again."""
    shop.branch(f"pull-{number}", "main")
    shas = [shop.commit(message) for message in messages]
    shop.git("update-ref", f"refs/pull/{number}/head", "HEAD")
    shop.switch("main")
    return shas


def test_a_merged_pull_request_lists_what_it_brought(shop: GitRepository) -> None:
    shop.branch("cart")
    originals = [shop.commit(), shop.commit()]
    shop.switch("main")
    merge = shop.merge("cart", "Merge pull request #12 from acme/cart\n\nMend the cart")

    change = collected(shop.path).changes[12]
    assert list(change.commit_shas) == originals
    assert (change.id, change.merge_commit_sha) == ("acme/shop#12", merge)
    assert (change.title, change.head_branch, change.base_branch) == (
        "Mend the cart",
        "cart",
        "main",
    )
    assert change.merged_at == shop.at


def test_main_merged_into_a_branch_is_no_part_of_its_pull_request(shop: GitRepository) -> None:
    shop.branch("cart")
    first = shop.commit()
    shop.switch("main")
    shop.commit("Directly")
    shop.switch("cart")
    update = shop.merge("main", "Merge branch 'main' into cart")
    shop.switch("main")
    shop.merge("cart", "Merge pull request #12 from acme/cart")

    found = collected(shop.path)
    assert list(found.changes) == [12]
    assert list(found.changes[12].commit_shas) == [first, update]


def test_a_branch_merged_into_a_branch_is_a_pull_request_of_its_own(shop: GitRepository) -> None:
    shop.branch("feature")
    outer = shop.commit()
    shop.branch("part")
    inner = shop.commit()
    shop.switch("feature")
    joined = shop.merge("part", "Merge pull request #11 from acme/part")
    shop.switch("main")
    shop.merge("feature", "Merge pull request #12 from acme/feature")

    found = collected(shop.path).changes
    assert list(found[11].commit_shas) == [inner]
    assert set(found[12].commit_shas) == {outer, inner, joined}
    assert found[11].base_branch is None  # git does not tell


def test_a_squash_has_its_originals_at_its_head(shop: GitRepository) -> None:
    originals = pull(shop, 12, "One", "Two")
    squash = shop.commit("Mend (#12)")

    found = collected(shop.path)
    assert found.changes[12].merge_commit_sha == squash
    assert list(found.changes[12].commit_shas) == originals
    assert set(originals) <= set(found.commits)
    assert not [line for line in found.warnings if "original commits" in line]


def test_an_updated_head_leaves_out_what_was_on_main(shop: GitRepository) -> None:
    [first] = pull(shop, 12, "One")
    shop.commit("Directly")
    shop.switch("pull-12")
    update = shop.merge("main", "Merge branch 'main' into pull-12")
    shop.git("update-ref", "refs/pull/12/head", update)
    shop.switch("main")
    shop.commit("Mend (#12)")

    assert list(collected(shop.path).changes[12].commit_shas) == [first, update]


def test_a_head_that_went_on_after_the_squash_lists_nothing_of_main(shop: GitRepository) -> None:
    [first] = pull(shop, 12, "One")
    squash = shop.commit("Mend (#12)")
    shop.switch("pull-12")
    later = shop.merge("main", "Merge branch 'main' into pull-12")
    shop.git("update-ref", "refs/pull/12/head", later)
    shop.switch("main")

    assert squash not in collected(shop.path).changes[12].commit_shas
    assert first in collected(shop.path).changes[12].commit_shas


def test_a_head_with_another_history_tells_no_originals(shop: GitRepository) -> None:
    tree = shop.git("write-tree")
    stranger = shop.git("commit-tree", tree, given="From before the history was rewritten")
    shop.git("update-ref", "refs/pull/12/head", stranger)
    shop.commit("Mend (#12)")
    found = collected(shop.path)

    assert found.changes[12].commit_shas == ()
    assert stranger not in found.commits


def test_an_unmerged_head_is_not_read(shop: GitRepository) -> None:
    [open_one] = pull(shop, 13, "Not yet")
    shop.branch("somebodys", "main")
    unmerged = shop.commit()
    shop.switch("main")
    found = collected(shop.path, branch="main")

    assert {open_one, unmerged}.isdisjoint(found.commits)
    assert found.changes == {}


def test_without_heads_the_command_that_fetches_them_is_told(shop: GitRepository) -> None:
    shop.git("remote", "add", "origin", "https://example.org/acme/shop.git")
    shop.commit("Mend (#12)")
    shop.tag("v1.0")
    found = collected(shop.path)

    assert found.changes[12].commit_shas == ()
    assert found.warnings == [
        f"the original commits of 1 of 1 pull requests are not in {shop.path}, so their lead time "
        f"starts at the merge; mend it with: git -C {shop.path} fetch origin "
        "'+refs/pull/*/head:refs/pull/*/head'"
    ]


def test_a_number_that_is_no_pull_requests_is_an_issues(shop: GitRepository) -> None:
    pull(shop, 12, "One")
    shop.commit("Mend (#12)")
    issue = shop.commit("Mend what was reported (#7)")
    unfetched = shop.commit("Mend (#40)")  # above all known heads
    shop.merge("pull-12", "Merge pull request #5 from acme/cart")  # says what it is
    found = collected(shop.path)

    assert set(found.changes) == {5, 12, 40}
    assert found.changes[40].merge_commit_sha == unfetched
    assert issue in found.commits


def test_a_number_met_twice_is_the_default_branchs(shop: GitRepository) -> None:
    shop.branch("1.x")
    shop.commit("Mend (#12)")  # the copy is older
    shop.tag("v1.1")
    shop.switch("main")
    squash = shop.commit("Mend (#12)")

    found = collected(shop.path).changes
    assert found[12].merge_commit_sha == squash


def test_a_number_met_twice_on_main_is_the_first_ones(shop: GitRepository) -> None:
    first = shop.commit("Mend (#12)")
    shop.commit("Mend (#12)")

    assert collected(shop.path).changes[12].merge_commit_sha == first


def test_a_squash_inside_a_pull_request_is_a_copy(shop: GitRepository) -> None:
    shop.branch("cart")
    shop.commit("Taken from elsewhere (#7)")
    shop.switch("main")
    shop.merge("cart", "Merge pull request #12 from acme/cart")

    assert list(collected(shop.path).changes) == [12]


def test_a_squash_made_on_the_web_is_one_inside_a_pull_request_too(shop: GitRepository) -> None:
    shop.branch("develop")
    squash = shop.commit("Mend (#7)", by=("GitHub", "noreply@github.com"))
    shop.switch("main")
    shop.merge("develop", "Merge pull request #12 from acme/develop")

    found = collected(shop.path).changes
    assert found[7].merge_commit_sha == squash


def test_a_squash_on_a_maintenance_branch_is_one(shop: GitRepository) -> None:
    shop.branch("1.x")
    squash = shop.commit("Mend (#7)")
    shop.switch("main")
    shop.commit()
    shop.merge("1.x", "Merge branch '1.x'")

    found = collected(shop.path).changes
    assert found[7].merge_commit_sha == squash


def test_a_merge_that_brought_nothing_lists_its_head(shop: GitRepository) -> None:
    shop.branch("cart")
    head = shop.commit()
    shop.switch("main")
    shop.merge("cart", "Merge pull request #11 from acme/cart")
    shop.merge("cart", "Merge pull request #12 from acme/cart")

    assert collected(shop.path).changes[12].commit_shas == (head,)


def test_a_merge_request_of_gitlab_is_a_change(shop: GitRepository) -> None:
    shop.git("remote", "add", "origin", "git@gitlab.example.org:acme/deep/shop.git")
    shop.branch("cart")
    shop.commit()
    shop.switch("main")
    shop.merge("cart", "Merge branch 'cart' into 'main'\n\nMend\n\nSee merge request acme/shop!12")
    shop.commit("Mend what issue 7 says (#7)")
    found = collected(shop.path, repository=None)

    assert list(found.changes) == [12]
    assert found.changes[12].id == "acme/deep/shop#12"
    assert found.changes[12].url == "https://gitlab.example.org/acme/deep/shop/-/merge_requests/12"


def test_reverts_and_picks_are_told(shop: GitRepository) -> None:
    broken = shop.commit("Break (#12)")
    undo = shop.commit(f'Revert "Break (#12)" (#13)\n\nThis reverts commit {broken}.')
    shop.commit('Revert "Break" (#14)\n\nReverts acme/shop#12')
    short = shop.commit(f"Undo\n\nThis reverts commits {broken[:9]} (Break, 2026-09-01), fffffff.")
    shop.commit("Break (cherry-pick #12 for 1.2) (#15)\n\nBackport of #14 to v1.2")
    pick = shop.commit(f"Break again\n\n(cherry picked from commit {broken})")

    found = collected(shop.path)
    assert found.commits[undo].reverts_sha == found.commits[short].reverts_sha == (broken,)
    assert found.commits[pick].picked_from_sha == broken
    assert found.changes[14].reverts == ("acme/shop#12",)
    assert found.changes[15].backports == ("acme/shop#12",)


def test_merges_in_words_that_nobody_knows_are_told(shop: GitRepository) -> None:
    for name, message in (
        ("a", "Merge branch 'a'"),
        ("b", "Merge pull request #12 from acme/b"),
        ("c", "Merge #13 #14\n\n13: Mend r=ada a=bob"),
        ("d", "feat: bring it all"),
    ):
        shop.branch(name)
        shop.commit()
        shop.switch("main")
        shop.merge(name, message)

    [told] = [line for line in collected(shop.path).warnings if "not known here" in line]
    assert told.startswith("2 merges into main of ")
    assert told.endswith(": 'feat: bring it all', 'Merge #13 #14'")
