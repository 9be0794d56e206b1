"""How much of the suite runs: quick, whole, or soak.

- quick: `pytest -m "not slow"`, where properties are tried on a third of their examples;
- whole: `pytest`, all but what is marked with `soak`;
- soak: `pytest --soak`, only what is marked with `soak`, and the laws with many more examples.

Whatever soaks has a small sibling in the whole, with fixed seeds.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings

Test = TypeVar("Test", bound=Callable[..., Any])

FEWER = 3
"""Of so many made-up examples of the whole suite the quick tests try one."""

PLAIN = 50
"""The examples of a property that does not say how many it wants."""

_soaks = False
_quick = False


def choose(*, soak: bool, quick: bool) -> None:
    """Say how much is wanted, before the modules of tests are imported."""
    global _soaks, _quick  # decorators are applied when a module is imported
    _soaks, _quick = soak, quick
    settings.register_profile(
        "tier",
        max_examples=PLAIN // FEWER if quick else PLAIN,
        deadline=None,  # a slow machine breaks no law
        derandomize=not soak,  # always the same few, of which nobody keeps a record
        print_blob=True,
        phases=list(Phase) if soak else [Phase.explicit, Phase.generate],
        suppress_health_check=[
            HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture
        ],
    )  # fmt: skip
    settings.load_profile("tier")


def law(examples: int, *, soak: int, **more: Any) -> Callable[[Test], Test]:
    """A property that holds for all examples: always the same few, or many new ones to soak."""
    few = -(-examples // FEWER) if _quick else examples
    chosen = settings(max_examples=soak if _soaks else few, **more)

    def decorate(test: Test) -> Test:
        marked: Test = pytest.mark.law(chosen(test))
        return marked

    return decorate


def scored(name: str, few: int, *, soak: int) -> pytest.MarkDecorator:
    """A parameter that is small in the whole suite, and large where it soaks."""
    return pytest.mark.parametrize(name, [few, pytest.param(soak, marks=pytest.mark.soak)])


def asked_for(item: pytest.Item) -> set[bool]:
    """Tell in which runs a test takes part: those that soak (True), those that do not, or both."""
    if item.get_closest_marker("soak"):
        return {True}
    return {True, False} if item.get_closest_marker("law") else {False}
