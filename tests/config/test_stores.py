import subprocess
from pathlib import Path

import pytest
from subprocesses import PATIENCE

from vpemetrics.config.load import Configuration, load
from vpemetrics.config.stores import StoreChoice, choose_store, find_git_dir
from vpemetrics.errors import FixConfiguration

NOTHING = load(None, {})
DATABASE = "postgresql://me:pw@db/metrics"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    folder = tmp_path / "clone"
    _git("init", "-q", str(folder))
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def configuration(folder: Path, text: str) -> Configuration:
    file = folder / "vpemetrics.toml"
    file.write_text(text, encoding="utf-8")
    return load(file, {})


def choose(
    configuration: Configuration,
    cwd: Path,
    *,
    option: str | None = None,
    environ: dict[str, str] | None = None,
    for_import: bool = False,
) -> StoreChoice:
    return choose_store(option, configuration, cwd, environ or {}, for_import=for_import)


def test_the_option_comes_first(clone: Path) -> None:
    configured = configuration(clone, 'store = "configured.db"')

    choice = choose(configured, clone, option="mine.db")

    assert not choice.of_clone

    assert choice.location == str(clone / "mine.db")
    assert choice.why == "--store"


def test_the_option_takes_a_reference(tmp_path: Path) -> None:
    choice = choose(NOTHING, tmp_path, option="env:DB", environ={"DB": DATABASE})

    assert choice.location == DATABASE


def test_the_option_refuses_a_password_without_repeating_it(tmp_path: Path) -> None:
    with pytest.raises(FixConfiguration, match="env:NAME") as refused:
        choose(NOTHING, tmp_path, option="postgresql://me:hunter2@db/metrics")

    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("for_import", [True, False])
def test_the_configured_store_is_relative_to_the_file(
    tmp_path: Path, clone: Path, for_import: bool
) -> None:
    configured = configuration(tmp_path, 'store = "data/metrics.db"')

    choice = choose(configured, clone, for_import=for_import)

    assert choice.location == str(tmp_path / "data" / "metrics.db")
    assert choice.why == f"`store` in {tmp_path / 'vpemetrics.toml'}"


@pytest.mark.parametrize("for_import", [True, False])
def test_a_configuration_without_a_store_has_one_beside_it(clone: Path, for_import: bool) -> None:
    inner = clone / "src"

    choice = choose(configuration(clone, ""), inner, for_import=for_import)

    assert choice.location == str(clone / "vpemetrics.db")
    assert str(clone / "vpemetrics.toml") in choice.why


def test_a_database_keeps_its_url_and_hides_its_password(tmp_path: Path) -> None:
    configured = configuration(tmp_path, 'store = "env:DATABASE_URL"')

    choice = choose(configured, tmp_path, environ={"DATABASE_URL": DATABASE})

    assert choice.location == DATABASE
    assert "postgresql://me:…@db/metrics" in str(choice)
    assert "pw" not in str(choice) + repr(choice)


def test_a_missing_variable_of_the_store_is_named(tmp_path: Path) -> None:
    configured = configuration(tmp_path, 'store = "env:DATABASE_URL"')

    with pytest.raises(FixConfiguration, match="DATABASE_URL is not set"):
        choose(configured, tmp_path)


def test_the_environments_store_is_relative_to_the_working_directory(
    tmp_path: Path, clone: Path
) -> None:
    environ = {"VPEMETRICS_STORE": "here.db"}
    file = tmp_path / "vpemetrics.toml"
    file.touch()

    choice = choose(load(file, environ), clone, environ=environ)

    assert choice.location == str(clone / "here.db")
    assert choice.why == "VPEMETRICS_STORE"


def test_the_environments_database_may_have_a_password(tmp_path: Path) -> None:
    environ = {"VPEMETRICS_STORE": DATABASE}

    choice = choose(load(None, environ), tmp_path, environ=environ)

    assert choice.location == DATABASE
    assert choice.why == "VPEMETRICS_STORE"


def test_a_clone_without_a_configuration_has_a_cache_of_its_own(clone: Path, home: Path) -> None:
    inner = clone / "src" / "deep"
    inner.mkdir(parents=True)

    choice = choose(NOTHING, inner, environ={"HOME": str(home)})

    assert choice.location == str(clone / ".git" / "vpemetrics" / "vpemetrics.db")
    assert choice.other is None
    assert choice.of_clone


def test_a_clone_says_that_there_is_a_store_in_the_users_folder_too(
    clone: Path, home: Path
) -> None:
    users = home / ".local" / "share" / "vpemetrics" / "vpemetrics.db"
    users.parent.mkdir(parents=True)
    users.touch()

    choice = choose(NOTHING, clone, environ={"HOME": str(home)})

    assert choice.other == users
    assert f"there is one at {users} too" in str(choice)


def test_an_import_never_writes_into_a_clone(clone: Path, home: Path) -> None:
    choice = choose(NOTHING, clone, environ={"HOME": str(home)}, for_import=True)

    assert choice.location == str(home / ".local" / "share" / "vpemetrics" / "vpemetrics.db")
    assert choice.why == "the user's data folder"


def test_outside_a_clone_the_users_data_folder_is_used(tmp_path: Path) -> None:
    choice = choose(NOTHING, tmp_path, environ={"XDG_DATA_HOME": str(tmp_path / "xdg")})

    assert choice.location == str(tmp_path / "xdg" / "vpemetrics" / "vpemetrics.db")


def test_without_any_folder_a_store_has_to_be_named(tmp_path: Path) -> None:
    with pytest.raises(FixConfiguration, match="name one with --store"):
        choose(NOTHING, tmp_path)


def test_linked_work_trees_share_the_clones_directory(clone: Path, tmp_path: Path) -> None:
    _commit(clone)
    _git("-C", str(clone), "worktree", "add", "-q", str(tmp_path / "linked"))

    assert find_git_dir(tmp_path / "linked") == clone / ".git"


@pytest.mark.parametrize("inside", [".", "refs/heads"])
def test_a_bare_mirror_is_its_own_directory(tmp_path: Path, inside: str) -> None:
    _git("init", "-q", "--bare", str(tmp_path / "mirror.git"))

    assert find_git_dir(tmp_path / "mirror.git" / inside) == tmp_path / "mirror.git"


def test_a_submodule_has_a_directory_of_its_own(clone: Path, tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    _git("init", "-q", str(inner))
    _commit(inner)
    _git(
        *("-C", str(clone), "-c", "protocol.file.allow=always"),
        *("submodule", "--quiet", "add", str(inner), "part"),
    )

    assert find_git_dir(clone / "part") == clone / ".git" / "modules" / "part"


@pytest.mark.parametrize("content", ["", "gitdir: nowhere\n", "no pointer at all"])
def test_a_broken_pointer_is_no_clone(tmp_path: Path, content: str) -> None:
    (tmp_path / ".git").write_text(content, encoding="utf-8")

    assert find_git_dir(tmp_path) is None


def test_a_folder_named_like_a_clones_is_none(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()

    assert find_git_dir(tmp_path) is None


def _commit(repository: Path) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    _git("-C", str(repository), *who, "commit", "-q", "--allow-empty", "-m", "first")


def _git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], check=True, timeout=PATIENCE, capture_output=True)
