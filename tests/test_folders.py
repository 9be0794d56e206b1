from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from vpemetrics.errors import FixConfiguration
from vpemetrics.folders import cache_home, config_home, data_home, locate, state_home

Home = Callable[[Mapping[str, str]], Path | None]


@pytest.mark.parametrize(
    ("home", "variable", "usual"),
    [
        (cache_home, "XDG_CACHE_HOME", ".cache"),
        (config_home, "XDG_CONFIG_HOME", ".config"),
        (data_home, "XDG_DATA_HOME", ".local/share"),
        (state_home, "XDG_STATE_HOME", ".local/state"),
    ],
)
def test_a_folder_is_where_its_variable_says_else_in_the_home(
    home: Home, variable: str, usual: str, tmp_path: Path
) -> None:
    environ = {"HOME": str(tmp_path)}

    assert home(environ) == tmp_path / usual
    assert home(environ | {variable: str(tmp_path / "own")}) == tmp_path / "own"
    assert home(environ | {variable: "relative"}) == tmp_path / usual  # to be ignored
    assert home({}) is None


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("shop", "/code/shop"),
        ("../shop", "/code/../shop"),
        ("/srv/shop", "/srv/shop"),
        ("~/shop", "/home/ada/shop"),
        ("shop/~", "/code/shop/~"),
    ],
)
def test_a_path_starts_at_a_folder_or_the_home(
    path: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/ada")

    assert locate(Path("/code"), path) == Path(expected)


def test_a_home_of_nobody_is_named() -> None:
    with pytest.raises(FixConfiguration, match="~nobody-of-that-name/shop"):
        locate(Path("/code"), "~nobody-of-that-name/shop")
