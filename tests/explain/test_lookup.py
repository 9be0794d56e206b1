"""Names as people type them, and the records they mean."""

import pytest
from explanations import RULES

from vpemetrics.errors import NotFound
from vpemetrics.store import Store
from vpemetrics.usecases.explain import explain


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("MTTR", "failed_deployment_recovery_time"),
        ("lead-time", "change_lead_time"),
        ("example/checkout#1", "example/checkout#1"),
        ("pull_request:example/checkout#1", "example/checkout#1"),
        ("https://git.example/example/checkout/pull/1/files", "example/checkout#1"),
        ("https://git.example/example/checkout/-/merge_requests/1", "example/checkout#1"),
        ("files:INC-1-3", "INC-1-3"),
        ("107", "example/checkout#107"),
        ("89EE642", "89ee642a6a64ed8608c0844a0d8f4c2b88d6d202"),
        ("Checkout ", "checkout"),
    ],
)
def test_a_name_means_what_people_mean_by_it(sample: Store, name: str, meant: str) -> None:
    assert explain(sample, RULES, name).id == meant


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("#1", "\nexample/checkout#1\nexample/notifications#1\nexample/search#1"),
        ("changeleadtime", "did you mean change_lead_time"),
        ("INC-1-33", "INC-1-3"),
        ("abc123", "at least 7 characters"),
        ("1", "\nexample/checkout#1\nexample/notifications#1\nexample/search#1"),
        ("0000000", "A record goes by its sha"),
        ("v9.0-rc1", "as a tag it is a pre-release, which is no deployment"),
    ],
)
def test_a_name_of_nothing_or_of_several_is_answered_with_names(
    sample: Store, name: str, said: str
) -> None:
    with pytest.raises(NotFound) as error:
        explain(sample, RULES, name)

    assert said in str(error.value)


def test_the_commit_of_a_pre_release_says_that_its_tag_is_no_deployment(sample: Store) -> None:
    sha = "89ee642a6a64ed8608c0844a0d8f4c2b88d6d202"

    found = explain(sample, RULES, "v9.0-rc1", commit_named=lambda _name: sha)

    assert found.id == sha
    assert found.facts[0].text.startswith("as a tag it is a pre-release")
