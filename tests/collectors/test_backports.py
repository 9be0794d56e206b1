"""Back-ports by what they are called, in the forms of people and programs."""

from time import process_time

import pytest

from vpemetrics.collectors.backports import backported_pulls

REPOSITORY = "acme/shop"


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("fix: mend the till (cherry-pick #12 for 3.4)", (12,)),  # Argo CD
        ("fix: mend the till (#9) (cherry-pick #12)", (12,)),
        ("fix: mend (cherry pick of #12 and #13 to 3.4)", (12, 13)),
        ("fix: cherry pick #12 to release-3.1", (12,)),
        ("chore: bump (cherry pick 27602 to release 3.2)", (27602,)),
        ("fix: mend the till (#12) (cherry-pick release-3.3)", (12,)),
        ("fix: mend (#11) (#12) (cherry-pick 3.5)", (12,)),
        ("fix(cherry-pick-3.1): mend the till (#12)", (12,)),
        ("test: cherry-pick - a name per test (#12)", (12,)),
        ("fix: mend (#12) - backport/cherry-pick to 2.14", (12,)),
        ("[release-3.3] fix: mend the till (#12)", (12,)),
        ("[Backport v1.x] Mend the till (#12)", (12,)),
        ("Automated cherry pick of #12: Mend the till", (12,)),  # Kubernetes
        ("[1.25] Cherry Pick of #12: Mend", (12,)),
        ("Manual cherry-pick of # 12: Revised", (12,)),
        ("Cherry pick #12 #13 to release-1.2", (12, 13)),
        ("fix: mend (backport #12 to v10)", (12,)),  # pnpm
        ("Mend the till (backport #12)", (12,)),  # Mergify
        ("v0.14 backport of #12", (12,)),  # Terraform
        ("v1.14 backport: Mend the till (#12)", (12,)),
        ("[3.4] backport 12669: Mend", (12669,)),
        ("Backport of acme/shop#12", (12,)),
        ("Backport https://github.com/acme/shop/pull/12 to 1.2", (12,)),
        ("Backport of left/pad#12", ()),  # another repository's
        ("Backport !12 to stable-1.2", (12,)),  # GitLab
        ("Backport #20 to 1.2", ()),  # its own number
        ('Revert "fix: mend (cherry-pick #12 for 3.4)"', ()),
        ("fix: fixing back cherry-pick commit for #12", ()),
        ("Do not backport #12 to 1.2", ()),
        ("Follow-up to the backport of #12", ()),
        ("ci: disable analysis on cherry-pick branches (#12)", ()),
        ("[18066] - Added a hint (#12)", ()),
        ("[2024] Mend the till (#12)", ()),
        ("[v1.1 onboarding] Add a file (#12)", ()),
        ("Backport 3 fixes to 1.2", ()),
        ("Mend the till (#12)", ()),
        ("", ()),
    ],
)
def test_titles_name_what_a_back_port_brings(title: str, expected: tuple[int, ...]) -> None:
    assert backported_pulls(title, None, "", REPOSITORY, 20) == expected


@pytest.mark.parametrize(
    ("branch", "expected"),
    [
        ("backport-12-to-release/1.2.x", (12,)),
        ("ada/cherry-pick-12-to-release-3.4", (12,)),
        ("cherry-pick-12-release-2.13", (12,)),
        ("automated-cherry-pick-of-#12-#13-upstream-release-1.26", (12, 13)),
        ("automated-cherry-pick-of-#12-origin-release-3.2-1534373481", (12,)),
        ("cherrypick-95981-119", (95981,)),
        ("mergify/bp/release/1.2/pr-12", (12,)),
        ("backport/7.x/pr-12", (12,)),
        ("backport-pr12-to-2.9", (12,)),
        ("backport_13577_3.5", (13577,)),
        ("ada/backport-28424", (28424,)),
        ("34-backport-16268", (16268,)),
        ("backport-3.4-fix", ()),
        ("cherry-pick-a205cfe", ()),
        ("cherry-pick-306-revert", ()),
        ("backport/fix-33069/globally-cool-kingfish", ()),
        ("feature/backports", ()),
    ],
)
def test_branches_name_what_a_back_port_brings(branch: str, expected: tuple[int, ...]) -> None:
    assert backported_pulls("Mend", branch, "", REPOSITORY) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Backport of acme/shop#12 to v10. It differs.", (12,)),
        ("Backport of #12 to release/9 (without docs)", (12,)),
        ("It broke.\n\nManual backport of #12", (12,)),
        ("Cherry-pick of #12 from main, adapted", (12,)),
        ("This is a manual backport of #12 on main.", ()),
        ("# Description\nBackport of #12 to `release-1.2`.", (12,)),
        ("Backports #12 into the new page.", ()),
        ("We should backport #12 to v10", ()),
        ("> Backport of #12 to v10.", ()),
    ],
)
def test_a_line_of_the_text_names_what_a_back_port_brings(
    text: str, expected: tuple[int, ...]
) -> None:
    assert backported_pulls("Mend", "mend", text, REPOSITORY) == expected


@pytest.mark.slow
@pytest.mark.parametrize(
    "text", ["backport #1 ", "backport #1,", "cherry-pick of a/", "backport-", "[1.", "(#1) ", "1."]
)
def test_no_title_takes_long_to_read(text: str) -> None:
    endless, begun = text * 5_000, process_time()

    backported_pulls(endless, endless, endless, REPOSITORY)

    assert process_time() - begun < 2
