import pytest

from vpemetrics.collectors.git.subjects import (
    Merged,
    is_merge,
    parse_merge,
    picked_from,
    reverted_pulls,
    reverts,
)

SHA = "0123456789abcdef0123456789abcdef01234567"
OTHER = SHA[::-1]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Mend the cart (#12)", Merged(12, "Mend the cart")),
        ("Mend the cart (#12)\n\nBecause of #3 (#4)", Merged(12, "Mend the cart")),
        ("Mend the cart (#7) (#12)", Merged(12, "Mend the cart (#7)")),  # picked: the last
        ('Revert "Mend (#12)" (#13)', Merged(13, 'Revert "Mend (#12)"')),
        ('Revert "Mend the cart (#12)"', None),  # reverted by hand
        ("Mend the cart (#12) at last", None),  # a mention
        ("Mend #12", None),
        ("(#12)", None),  # no title
        (
            "Mend a cart whose subject\ngoes on (#12)\n",
            Merged(12, "Mend a cart whose subject goes on"),
        ),
        ("Mend the cart (!12)", None),  # GitLab's mark, but this is no GitLab
        ("Mend (pull request #12)", Merged(12, "Mend")),  # Bitbucket
        (
            "Merge pull request #12 from acme/hotfix/cart\n\nMend the cart",
            Merged(12, "Mend the cart", "hotfix/cart"),
        ),
        ("Merge pull request #12 from acme/cart", Merged(12, None, "cart")),
        ("Merge pull request #12 from cart", Merged(12, None, "cart")),
        (
            "Merge pull request #12 in SHOP/shop from cart to main\n\n* commit 'x':",
            Merged(12, None, "cart", "main"),
        ),
        (  # Bitbucket Data Center since 7
            "Pull request #12: Mend: the cart\n\nMerge in SHOP/shop from fix/cart to main\n\n* …",
            Merged(12, "Mend: the cart", "fix/cart", "main"),
        ),
        ("Pull request #12: Mend\n\nSquashed commit of the following:", Merged(12, "Mend")),
        (
            "Merge pull request 'Mend 'it' (#3)' (#12) from ada/shop:cart into main\n\n"
            "Reviewed-on: https://example.org/acme/shop/pulls/12",
            Merged(12, "Mend 'it' (#3)", "cart", "main"),
        ),
        ("Merge pull request 'Mend' (#12) from cart into main", Merged(12, "Mend", "cart", "main")),
        ("Merge pull request 12 from cart into main", Merged(12, None, "cart", "main")),
        ("Merged PR 12: Mend: the cart (#3)", Merged(12, "Mend: the cart (#3)")),
        ("Merge #12\n\n12: Mend it r=ada a=bob\n\nBody", Merged(12, "Mend it")),
        ("Merge #12 #13\n\n12: Mend it r=ada a=bob", None),  # which of them?
        ("[docs] Merge pull request #12 from ada/cart\n\nMend", Merged(12, "Mend", "cart")),
        ("[docs] Merge the carts", None),
        ("Merge pull request #12 by hand", Merged(12, None)),
        ("Merge pull request #12", Merged(12, None)),
        ("Merged in cart (pull request #12)\n\nMend", Merged(12, "Mend", "cart")),
        ("Merged PR 12: Mend the cart", Merged(12, "Mend the cart")),
        ("Auto merge of #12 - acme:cart, r=ada\n\nMend", Merged(12, "Mend", "cart")),
        (
            "Merge branch 'cart' into 'main'\n\nMend\n\nSee merge request acme/shop!12",
            Merged(12, "Mend", "cart", "main"),
        ),
        (
            "Merge branch 'cart' into 'main'\n\nSee merge request acme/deep/shop!12\n",
            Merged(12, None, "cart", "main"),
        ),
        ("Merge branch 'main' into cart", None),
        ("Merge branch 'main' of example.org:acme/shop", None),
        ("Merge the carts (#12)", Merged(12, "Merge the carts")),
        ("Mend\n\nSee merge request acme/shop!12", None),  # only merges say so
        ("", None),
        ("\n\nMend (#12)", Merged(12, "Mend")),
    ],
)
def test_a_message_names_the_pull_request_it_merged(message: str, expected: Merged | None) -> None:
    found = parse_merge(message)

    assert (found._replace(only_marked=False) if found else None) == expected


def test_a_number_at_the_end_may_be_an_issues() -> None:
    by_mark, by_merge = (
        parse_merge("Mend (#12)"),
        parse_merge("Merge pull request #12 from acme/cart"),
    )

    assert by_mark
    assert by_mark.only_marked
    assert by_merge
    assert not by_merge.only_marked


def test_on_gitlab_a_hash_is_an_issue_and_an_exclamation_mark_a_merge_request() -> None:
    assert parse_merge("Mend the cart (!12)", "!") == Merged(12, "Mend the cart", only_marked=True)
    assert parse_merge("Mend the cart (#12)", "!") is None


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (f'Revert "Mend"\n\nThis reverts commit {SHA}.', (SHA,)),
        (f"Undo\n\nThis reverts commit {SHA}, reversing\nchanges made to {OTHER}.", (SHA,)),
        (f"This reverts commit {'ab' * 32}.", ("ab" * 32,)),  # a repository of SHA-256
        ("This reverts commit 0123456 (Mend, 2026-09-01).", ("0123456",)),  # --reference
        ("This reverts commit 012345.", ()),  # cannot be told apart
        (f"Undo\n\nThis reverts commits {SHA} and {OTHER}.", (SHA, OTHER)),
        (f"Undo\n\nThis reverts commit {SHA}.\nThis reverts commit {OTHER}.", (SHA, OTHER)),
        ("This reverts commits 0123456, 1234567,\nand 2345678", ("0123456", "1234567", "2345678")),
        (f"This reverts commit {SHA.upper()}", (SHA,)),
        (f"* Revert\n\n    This reverts commit {SHA}", (SHA,)),  # as a squash lists it
        (f"Undo\n\n> This reverts commit {SHA}", ()),
        (f"Undo\n\n`This reverts commit {SHA}`", ()),
        (f"This does not revert commit {SHA}", ()),
        ("This reverts commits 0123456..1234567", ()),
        ("This reverts commit 0123456\n\ndefaced pages", ("0123456",)),
        ("Revert the cart", ()),
    ],
)
def test_a_revert_names_the_commits_it_reverts(message: str, expected: tuple[str, ...]) -> None:
    assert reverts(message) == expected


def test_a_pick_names_the_first_commit_of_its_chain() -> None:
    message = f"Mend\n\n(cherry picked from commit {SHA})\n(cherry picked from commit {OTHER})"

    assert picked_from(message) == SHA
    assert picked_from("Mend (cherry picked from commit of yesterday)") is None
    assert picked_from(f"> (cherry picked from commit {SHA})") is None
    assert picked_from(f"Backport of Mend into v1.2 (#13)\n\n* backport of commit {SHA}") == SHA


def test_a_reverting_pull_request_names_the_reverted_one() -> None:
    message = 'Revert "Mend (#12)" (#13)\n\nReverts acme/shop#12'

    assert reverted_pulls(message, "acme/shop") == (12,)
    assert reverted_pulls(message, "acme/cart") == ()  # another repository's
    assert reverted_pulls("Revert\n\nReverts #12\n", "acme/shop") == (12,)
    assert reverted_pulls("Revert\n\nReverts #12, #14 and !15\n", "") == (12, 14, 15)
    assert reverted_pulls("Revert\n\nThis reverts merge request !12\n", "acme/shop") == (12,)
    assert reverted_pulls("Revert\n\n> Reverts #12\n", "acme/shop") == ()
    assert reverted_pulls("Reverts are (#4)", "acme/shop") == ()


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Merge branch 'main' into work", True),
        ("Merge branches 'a' and 'b'", True),
        ("Merge remote-tracking branch 'origin/main' into work", True),
        ("Merge tag 'v1.0.0'", True),
        ("Merge commit '0123456'", True),
        ("Merge pull request #4 from acme/work", True),
        ("Merge https://example.org/shop into main", True),
        ("Merge commit from fork", True),  # of a security advisory
        ('Merge "Mend the cart"', True),  # Gerrit
        ("Merge https://example.org/shop", True),
        ("Merge sort for the cart", False),
        ("Branch: Merge branch 'main'", False),
    ],
)
def test_a_merge_says_so_in_the_words_of_git(message: str, expected: bool) -> None:
    assert is_merge(message) is expected


@pytest.mark.parametrize(
    "message",
    [
        "Add a till (#{})",
        "Merge pull request #{} from acme/x",
        "Merged in x (pull request #{})",
        "Merge branch 'x'\n\nSee merge request acme/shop!{}",
    ],
)
@pytest.mark.parametrize("digits", [19, 5_000])
def test_a_number_that_no_pull_request_has_is_none(message: str, digits: int) -> None:
    found = parse_merge(message.format("9" * digits))

    assert found is None or found.number < 10**9
