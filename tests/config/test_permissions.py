"""A configuration that was found is only read where nobody else could have written it."""

import grp
import os
import pwd
from pathlib import Path
from types import SimpleNamespace

import pytest

from vpemetrics.config import permissions
from vpemetrics.config.load import FILE_NAME, load, load_found
from vpemetrics.config.permissions import check_permissions
from vpemetrics.errors import FixConfiguration

ME, OTHER = os.geteuid(), 1234
MINE = os.getegid()
only_root = pytest.mark.skipif(ME != 0, reason="only root gives files away")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / FILE_NAME
    path.write_text('[organisation]\nname = "Acme"\n', encoding="utf-8")
    path.chmod(0o644)
    return path


@pytest.fixture(autouse=True)
def bare_metal(monkeypatch: pytest.MonkeyPatch) -> None:
    """No container, whatever the tests run in."""
    monkeypatch.setattr(permissions, "CONTAINER_MARKS", ())


def name_of_me() -> str:
    return pwd.getpwuid(ME).pw_name


def check(file: Path, **environ: str) -> None:
    """Checks a file as it is opened."""
    with file.open() as opened:
        check_permissions(file, os.fstat(opened.fileno()), environ)


def status(*, owner: int = ME, group: int = MINE, mode: int = 0o644) -> os.stat_result:
    """A file as the system describes it."""
    return os.stat_result((0o100000 | mode, 1, 1, 1, owner, group, 0, 0, 0, 0))


def test_a_file_of_ones_own_is_read(file: Path) -> None:
    check(file)

    assert load_found(file, {}).settings.organisation.name == "Acme"


@pytest.mark.parametrize("group", ["nobody else's", "others'"])
@pytest.mark.parametrize(
    ("mode", "writers"),
    [
        (0o600, ""),
        (0o644, ""),
        (0o755, ""),
        (0o664, "group"),
        (0o620, "group"),
        (0o666, "everybody"),
        (0o602, "everybody"),
        (0o777, "everybody"),
    ],
)
def test_who_may_write_to_it_decides(
    file: Path, monkeypatch: pytest.MonkeyPatch, group: str, mode: int, writers: str
) -> None:
    members = [] if group == "nobody else's" else ["mallory"]
    entry = SimpleNamespace(gr_name=name_of_me(), gr_mem=members)
    monkeypatch.setattr(grp, "getgrgid", lambda _number: entry)
    opened = status(mode=mode)
    if not writers or (writers == "group" and not members):
        check_permissions(file, opened, {})
        return

    with pytest.raises(FixConfiguration) as refused:
        check_permissions(file, opened, {})

    expected = f"the group {name_of_me()}" if writers == "group" else writers
    assert f"{file} can be written by {expected}" in str(refused.value)
    assert f"chmod go-w {file}" in str(refused.value)
    assert f"--config {file}" in str(refused.value)


@pytest.mark.parametrize(
    ("owner", "group", "is_own"),
    [
        ("ada", "ada", True),
        ("ada", "users", False),  # the group of everybody there
        ("ada", "ada2", False),
        (None, None, True),  # numbers that are equal, without names
    ],
)
def test_a_group_is_ones_own_by_its_name(
    file: Path, monkeypatch: pytest.MonkeyPatch, owner: str | None, group: str | None, is_own: bool
) -> None:
    def named(key: str, name: str | None) -> object:
        if name is None:
            raise KeyError
        return SimpleNamespace(**{key: name, "gr_mem": []})

    monkeypatch.setattr(pwd, "getpwuid", lambda _number: named("pw_name", owner))
    monkeypatch.setattr(grp, "getgrgid", lambda _number: named("gr_name", group))
    opened = status(group=ME if owner is None else MINE, mode=0o664)

    if is_own:
        check_permissions(file, opened, {})
    else:
        with pytest.raises(FixConfiguration, match=f"the group {group}"):
            check_permissions(file, opened, {})


@pytest.mark.needs_root
@only_root
def test_somebody_elses_file_is_refused_with_what_mends_it(file: Path) -> None:
    os.chown(file, OTHER, OTHER)

    with pytest.raises(FixConfiguration) as refused:
        load_found(file, {})

    assert f"{file} belongs to {OTHER}" in str(refused.value)
    assert f"chown root {file}" in str(refused.value)
    assert f"--config {file}" in str(refused.value)
    assert load(file, {}).settings.organisation.name == "Acme"  # named


@pytest.mark.needs_root
@only_root
def test_in_a_shared_folder_the_owner_decides(file: Path) -> None:
    file.parent.chmod(0o1777)
    check(file)
    os.chown(file, OTHER, OTHER)

    with pytest.raises(FixConfiguration, match=f"belongs to {OTHER}"):
        check(file)


@pytest.mark.needs_root
@only_root
def test_somebody_elses_link_to_a_file_of_ones_own_is_refused(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "sub" / FILE_NAME
    link.parent.mkdir()
    link.symlink_to(file)
    check(link)
    os.chown(link, OTHER, OTHER, follow_symlinks=False)

    with pytest.raises(FixConfiguration, match=f"belongs to {OTHER}"):
        check(link)


@pytest.mark.parametrize(
    ("user", "owner", "sudo", "is_read"),
    [
        (1000, 1000, "", True),
        (1000, 0, "", True),  # the administrator's
        (1000, 1001, "", False),
        (1000, 1001, "1001", False),  # anybody can set a variable
        (0, 1001, "", False),
        (0, 1001, "1001", True),  # whoever became root to run it
        (0, 1001, "1002", False),
        (0, 1001, "x", False),
    ],
)
def test_the_owner_is_the_user_root_or_who_became_root(
    file: Path, monkeypatch: pytest.MonkeyPatch, user: int, owner: int, sudo: str, is_read: bool
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(Path, "lstat", lambda _self: status(owner=owner))
    opened, environ = status(owner=owner), {"SUDO_UID": sudo}

    if is_read:
        check_permissions(file, opened, environ)
    else:
        with pytest.raises(FixConfiguration, match=f"belongs to {owner}"):
            check_permissions(file, opened, environ)


@pytest.mark.needs_root
@only_root
@pytest.mark.parametrize(
    ("is_container", "owner", "tree", "is_read"),
    [
        (True, OTHER, OTHER, True),
        (True, OTHER, 0, False),  # a work tree of ours, and in it a file of another
        (True, OTHER, None, False),  # no work tree, as in /tmp
        (True, OTHER, 4321, False),
        (False, OTHER, OTHER, False),
    ],
)
def test_in_a_container_the_owner_of_the_work_tree_is_trusted(
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    is_container: bool,
    owner: int,
    tree: int | None,
    is_read: bool,
) -> None:
    mark = file.parent / "mark"
    mark.touch()
    monkeypatch.setattr(permissions, "CONTAINER_MARKS", (mark,) if is_container else ())
    os.chown(file, owner, owner)
    if tree is not None:
        (file.parent / ".git").mkdir()
        os.chown(file.parent, tree, tree)

    if is_read:
        check(file)
    else:
        with pytest.raises(FixConfiguration, match=f"belongs to {owner}"):
            check(file)


def test_where_the_system_knows_no_owners_nothing_is_refused(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "geteuid")

    check_permissions(file, status(owner=OTHER, mode=0o666), {})


def test_the_users_own_folder_of_configurations_is_trusted(tmp_path: Path) -> None:
    own = tmp_path / "vpemetrics" / FILE_NAME
    own.parent.mkdir()
    own.touch()
    environ = {"XDG_CONFIG_HOME": str(tmp_path)}

    assert not load_found(own, environ).is_found
    assert load_found(own, {}).is_found
    assert not load(own, {}).is_found
    assert not load_found(None, environ).is_found
