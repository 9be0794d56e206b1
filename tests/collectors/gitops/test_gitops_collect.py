"""Real configuration repositories, and services with histories of their own."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from gitrepository import BEGIN, NOW, Collected, GitRepository, copy_of, new_repository

from vpemetrics.collectors.gitops.options import Options
from vpemetrics.collectors.registry import collector_of
from vpemetrics.errors import FixInput
from vpemetrics.records import Deployment, Status
from vpemetrics.rules import Rules, Service

pytestmark = pytest.mark.slow  # each makes a repository and reads it

SUBJECT = r"Deploy (?P<service>\S+) (?P<version>\S+) to (?P<environment>\S+)"
FILE = r"envs/(?P<environment>[^/]+)/(?P<service>[^/]+)\.yaml"
MINUTE = timedelta(minutes=1)
ROBOT = ("Robot", "robot@ci.example.org")

Collect = Callable[..., Collected]


@pytest.fixture
def config(tmp_path: Path) -> GitRepository:
    """The configuration repository; the shop has version v1 of the day before in production."""
    return copy_of(first_wish, tmp_path / "config")


def first_wish(repository: GitRepository) -> None:
    repository.commit("Begin")
    wants(repository, "shop", "v1", hours=1)


@pytest.fixture
def shop(tmp_path: Path) -> GitRepository:
    """The shop's own repository: two pull requests, tagged v1 and v2."""
    return copy_of(two_pull_requests, tmp_path / "shop")


def two_pull_requests(repository: GitRepository) -> None:
    repository.commit("Begin")
    for number in (1, 2):
        repository.branch(f"part-{number}")
        repository.commit("Change")
        repository.switch("main")
        repository.merge(f"part-{number}", f"Merge pull request #{number} from acme/part")
        repository.tag(f"v{number}")


@pytest.fixture
def collect(tmp_path: Path) -> Collect:
    """Collects for the first time; whatever the settings are, beside where things lie."""

    def collect(rules: Rules | None = None, **settings: Any) -> Collected:
        given = {"path": "config", "clones": "{service}", "repository": "acme/{service}"}
        how = settings if "file" in settings else {"subject": SUBJECT} | settings
        return Collected(
            options=Options(**(given | how)),
            collector=collector_of("gitops"),
            rules=rules or Rules(),
            folder=tmp_path,
        ).again()

    return collect


def wants(
    config: GitRepository,
    service: str,
    version: str,
    *,
    environment: str = "production",
    hours: float = 0,
    seconds: int = 0,
    by: tuple[str, str] = ("Ada", "ada@example.org"),
) -> str:
    """A commit that wants a version: its subject says so, and a file does."""
    config.at += timedelta(hours=hours, seconds=seconds) - (MINUTE if seconds else timedelta())
    file = config.path / "envs" / environment / f"{service}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"image:\n  tag: {version}\n", encoding="utf-8")
    return config.commit(f"Deploy {service} {version} to {environment}", by=by)


def told(found: Collected) -> list[tuple[str, str, str, Status, str | None]]:
    """Service, environment, version, status and commit of the deployments, oldest first."""
    return [
        (one.service or "", one.environment, one.version or "", one.status, one.commit_sha)
        for one in in_order(found)
    ]


def in_order(found: Collected) -> list[Deployment]:
    return sorted(found.deployments.values(), key=lambda one: (str(one.finished_at), one.id))


def versions(found: Collected) -> Iterator[str]:
    return (f"{one.version} {one.status}" for one in in_order(found))


BOTH = pytest.mark.parametrize(
    "settings",
    [{"subject": SUBJECT}, {"file": FILE, "value": "image.tag"}],
    ids=["subject", "file"],
)


@BOTH
def test_a_commit_that_names_service_version_and_environment_is_a_deployment(
    config: GitRepository, shop: GitRepository, collect: Collect, settings: dict[str, str]
) -> None:
    sha = wants(config, "shop", "v2", hours=1, by=ROBOT)
    at = config.at
    wants(config, "shop", "v2", environment="staging", hours=1)

    found = collect(Rules(bots=("robot*",)), **settings)

    assert found.deployments[f"shop:production:{sha[:12]}"] == Deployment(
        id=f"shop:production:{sha[:12]}",
        environment="production",
        status=Status.SUCCEEDED,
        service="shop",
        repository="acme/shop",
        commit_sha=shop.git("rev-parse", "v2"),
        version="v2",
        finished_at=at,
        is_bot=True,
    )
    assert [line[:3] for line in told(found)] == [
        ("shop", "production", "v1"),
        ("shop", "production", "v2"),
        ("shop", "staging", "v2"),
    ]


def test_the_services_own_histories_are_collected_with_it(
    config: GitRepository, shop: GitRepository, collect: Collect
) -> None:
    found = collect()

    assert len(found.commits) == 5
    assert set(found.changes) == {1, 2}
    assert {one.repository for one in found.commits.values()} == {"acme/shop"}
    assert set(found.coverage) == {
        ("deployments", "shop"),
        ("commits", "acme/shop"),
        ("pull_requests", "acme/shop"),
    }
    assert found.coverage["deployments", "shop"] == (BEGIN + MINUTE, NOW)
    assert found.warnings == []


@BOTH
def test_a_pull_request_counts_from_its_merge(
    config: GitRepository, shop: GitRepository, collect: Collect, settings: dict[str, str]
) -> None:
    config.branch("bump")
    wants(config, "shop", "v2", hours=1)
    config.switch("main")
    config.at += timedelta(hours=5)
    config.merge("bump", "Merge pull request #7 from acme/bump")

    assert in_order(collect(**settings))[-1].finished_at == config.at


@BOTH
def test_a_version_replaced_within_a_minute_is_superseded(
    config: GitRepository, shop: GitRepository, collect: Collect, settings: dict[str, str]
) -> None:
    wants(config, "shop", "v2", hours=1)
    wants(config, "shop", "v3", seconds=59)
    wants(config, "shop", "v4", seconds=60)
    wants(config, "cart", "v9", seconds=1)

    found = collect(only=("shop",), **settings)

    assert list(versions(found)) == [
        "v1 succeeded",
        "v2 superseded",
        "v3 succeeded",
        "v4 succeeded",
    ]


def test_how_soon_is_a_setting(
    config: GitRepository, shop: GitRepository, collect: Collect
) -> None:
    wants(config, "shop", "v2", seconds=90)

    found = collect(Rules(superseded_within=timedelta(minutes=2)))

    assert list(versions(found)) == ["v1 superseded", "v2 succeeded"]


@BOTH
def test_the_next_collection_may_supersede_the_last_deployment_of_the_one_before(
    config: GitRepository, shop: GitRepository, collect: Collect, settings: dict[str, str]
) -> None:
    wants(config, "shop", "v2", hours=1)
    found = collect(**settings)
    assert list(versions(found))[-1] == "v2 succeeded"
    wants(config, "shop", "v3", seconds=30)

    found.again()

    assert [one.version for one in found.new if isinstance(one, Deployment)] == ["v2", "v3"]
    assert list(versions(found))[-2:] == ["v2 superseded", "v3 succeeded"]


@BOTH
def test_a_second_collection_tells_only_what_is_new(
    config: GitRepository, shop: GitRepository, collect: Collect, settings: dict[str, str]
) -> None:
    found = collect(**settings)

    assert found.again().new == []

    wants(config, "shop", "v2", hours=1)
    new = [one.version for one in found.again().new if isinstance(one, Deployment)]

    assert new == ["v2"]


@pytest.mark.slow
@BOTH
def test_pieces_tell_what_the_whole_does(
    config: GitRepository, shop: GitRepository, collect: Collect, settings: dict[str, str]
) -> None:
    pieces = collect(**settings)
    for version, seconds in [("v1", 5), ("v2", 40), ("v2", 70), ("v1", 39), ("v3", 100)]:
        wants(config, "shop", version, seconds=seconds)
        pieces.again()

    assert told(pieces) == told(collect(**settings))


@BOTH
def test_a_rewritten_branch_is_read_again(
    config: GitRepository, shop: GitRepository, collect: Collect, settings: dict[str, str]
) -> None:
    found = collect(**settings)
    config.git("update-ref", "HEAD", "HEAD~1")
    wants(config, "shop", "v2", hours=1)

    found.again()

    assert [one.version for one in found.new if isinstance(one, Deployment)] == ["v2"]


@BOTH
def test_only_deployments_since_a_day_are_told(
    config: GitRepository, shop: GitRepository, collect: Collect, settings: dict[str, str]
) -> None:
    wants(config, "shop", "v2", hours=24)

    found = collect(since=date(2026, 3, 3), **settings)

    assert list(versions(found)) == ["v2 succeeded"]
    assert found.coverage["deployments", "shop"][0].date() == date(2026, 3, 3)


def test_files_that_move_or_change_elsewhere_deploy_nothing(
    config: GitRepository, shop: GitRepository, collect: Collect
) -> None:
    file = config.path / "envs" / "production" / "shop.yaml"
    file.write_text("image:\n  tag: v1\nreplicas: 2\n", encoding="utf-8")
    config.commit("Scale")
    file.write_text("image:\n  tag: {{ .tag }}\n{{- end }}", encoding="utf-8")
    broken = config.commit("Break")
    file.unlink()
    config.commit("Remove")

    found = collect(file=FILE, value="image.tag")

    assert list(versions(found)) == ["v1 succeeded"]
    assert found.warnings == [
        f"files in {config.path} that could not be read, and were changed since: "
        f"envs/production/shop.yaml at {broken[:12]} is no YAML"
    ]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("[" * 500 + "]" * 500, "is nested too deeply"),
        ("image: {{ .tag }", "is no YAML"),
        ("image: &a [*a]", "is no YAML"),
    ],
)
def test_a_file_that_cannot_be_read_is_left_out_until_it_is_changed(
    config: GitRepository, shop: GitRepository, collect: Collect, content: str, why: str
) -> None:
    file = config.path / "envs" / "production" / "shop.yaml"
    file.write_text(content, encoding="utf-8")
    broken = config.commit("Break")

    found = collect(file=FILE, value="image.tag")
    left_out = [*found.left_out, *found.again().left_out]
    file.write_text("image:\n  tag: v2\n", encoding="utf-8")
    config.commit("Mend")
    found.again()

    name = f"{config.path}: envs/production/shop.yaml at {broken[:12]} {why}"
    assert left_out == [name, name]
    assert found.left_out == []
    assert "v2 succeeded" in versions(found)


def test_a_revert_of_a_file_goes_back_to_the_version_before(
    config: GitRepository, shop: GitRepository, collect: Collect
) -> None:
    wants(config, "shop", "v2", hours=1)
    config.at += timedelta(hours=1)
    (config.path / "envs" / "production" / "shop.yaml").write_text("image:\n  tag: v1\n")
    config.commit('Revert "Deploy shop v2 to production"')

    assert list(versions(collect(file=FILE, value="image.tag")))[-1] == "v1 succeeded"


@pytest.mark.parametrize(
    ("version", "settings", "expected"),
    [
        ("v2", {}, "v2"),
        ("2", {}, "v2"),
        ("v2", {"tag": "release-{version}"}, None),
        ("2", {"tag": "{service}/v{version}"}, "shop/v2"),
        ("{full}", {}, "v2"),
        ("main-{short}-1700000000", {}, "v2"),
        ("v7", {}, None),
        ("main", {}, None),
        ("a" * 40, {}, None),
    ],
)
def test_a_version_is_a_tag_or_has_a_commits_name_in_it(
    config: GitRepository,
    shop: GitRepository,
    collect: Collect,
    version: str,
    settings: dict[str, str],
    expected: str | None,
) -> None:
    sha = shop.git("rev-parse", "v2")
    shop.tag("shop/v2", "v2", message="Release")
    wants(config, "shop", version.format(full=sha, short=sha[:9]), hours=1)

    (*_, last) = told(collect(**settings))

    assert last[-1] == (sha if expected else None)


def test_a_version_that_is_not_there_yet_is_found_when_it_is(
    config: GitRepository, shop: GitRepository, collect: Collect
) -> None:
    wants(config, "shop", "v3", hours=1)
    found = collect()
    assert told(found)[-1][-1] is None
    assert "1 versions of shop are neither tag nor commit" in found.warnings[0]
    sha = shop.commit("Late")
    shop.tag("v3")

    found.again()

    assert told(found)[-1][-1] == sha
    assert sha in found.commits
    assert found.again().new == []


def test_a_deployed_branch_is_read_though_it_was_never_merged(
    config: GitRepository, shop: GitRepository, collect: Collect
) -> None:
    found = collect()
    shop.branch("trial")
    sha = shop.commit("Try")
    shop.switch("main")
    wants(config, "shop", sha, environment="staging", hours=1)

    found.again()

    assert told(found)[-1][-1] == sha
    assert found.commits[sha].parents == (shop.git("rev-parse", "v2"),)


def test_a_service_without_a_clone_is_told_without_commits_until_it_has_one(
    config: GitRepository, collect: Collect, tmp_path: Path
) -> None:
    wants(config, "../shop", "v2", hours=1)  # leads nowhere
    found = collect()
    assert [line[-1] for line in told(found)] == [None, None]
    assert found.warnings == [
        "no clones of ../shop, shop where `clones` says, so what their deployments ship is not "
        "known"
    ]
    shop = new_repository(tmp_path / "shop")
    sha = shop.commit("Change")
    shop.tag("v1")

    found.again()

    assert told(found)[0][-1] == sha


def test_without_clones_a_commits_full_name_stands_for_itself(
    config: GitRepository, collect: Collect
) -> None:
    wants(config, "shop", "c" * 40, hours=1)

    found = collect(clones=None, repository=None)

    assert [line[-1] for line in told(found)] == [None, "c" * 40]
    assert "say with `clones` where" in found.warnings[0]


def test_services_of_one_repository_share_its_history(
    config: GitRepository, shop: GitRepository, collect: Collect
) -> None:
    wants(config, "cart", "v2", hours=1)

    found = collect(clones="shop", repository=None)

    assert {line[0]: line[-1] for line in told(found)} == {
        "shop": shop.git("rev-parse", "v1"),
        "cart": shop.git("rev-parse", "v2"),
    }
    assert {one.repository for one in found.deployments.values()} == {"shop"}
    assert len(found.commits) == 5


def test_a_clone_that_cannot_be_read_keeps_nothing_else_from_being_collected(
    config: GitRepository, shop: GitRepository, collect: Collect, tmp_path: Path
) -> None:
    wants(config, "cart", "v1", hours=1)
    broken = tmp_path / "cart" / ".git"
    broken.mkdir(parents=True)
    (broken / "HEAD").write_text("nothing", encoding="utf-8")
    found = Collected(options=Options(subject=SUBJECT, path="config", clones="{service}"))
    found.collector, found.folder = collector_of("gitops"), tmp_path

    with pytest.raises(FixInput, match="cart lies in no git repository"):
        found.again()

    assert list(found.cursors) == ["shop: repository", "deployments"]


def test_a_shallow_clone_deploys_nothing_at_its_cut(
    config: GitRepository, shop: GitRepository, collect: Collect, tmp_path: Path
) -> None:
    wants(config, "cart", "v1", hours=1)
    wants(config, "shop", "v2", hours=1)
    cut = tmp_path / "cut"
    config.git("clone", "-q", "--depth=2", f"file://{config.path}", str(cut))

    found = collect(path="cut", file=FILE, value="image.tag")

    assert [line[:3] for line in told(found)] == [("shop", "production", "v2")]
    assert any("is a shallow clone" in line for line in found.warnings)


def test_an_empty_repository_is_told(tmp_path: Path, collect: Collect) -> None:
    new_repository(tmp_path / "config")

    found = collect()

    assert found.known == {}
    assert found.warnings == [f"{tmp_path / 'config'} has no commits yet"]


def test_a_repository_that_names_no_version_is_told(
    config: GitRepository, collect: Collect
) -> None:
    found = collect(subject="Release (?P<version>.+)", service="shop", environment="live")

    assert found.known == {}
    assert "names a version where the settings say it stands" in found.warnings[0]


def test_places_in_the_home_are_found(
    config: GitRepository, shop: GitRepository, collect: Collect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(shop.path.parent))

    found = collect(path="~/config", clones="~/{service}")

    assert [commit for *_, commit in told(found)] == [shop.git("rev-parse", "v1")]


@pytest.mark.parametrize("service", ["team/shop", ".hidden", "./shop", "shop/", "shop/../shop"])
def test_a_subject_leads_to_no_other_folder_than_its_own(
    config: GitRepository, collect: Collect, tmp_path: Path, service: str
) -> None:
    clone = new_repository(tmp_path / service)
    clone.commit("Change")
    clone.tag("v1")
    wants(config, service, "v1", hours=1)

    found = collect()

    assert {line[0]: line[-1] for line in told(found)}[service] is None


@pytest.mark.parametrize(
    "declared", [Service(name="team/shop"), Service(name="x", sources=("team/shop",))]
)
def test_a_declared_service_may_lie_deeper(
    config: GitRepository, collect: Collect, tmp_path: Path, declared: Service
) -> None:
    clone = new_repository(tmp_path / "team" / "shop")
    sha = clone.commit("Change")
    clone.tag("v1")
    wants(config, "team/shop", "v1", hours=1)

    found = collect(Rules(services=(declared,)))

    assert {line[0]: line[-1] for line in told(found)}["team/shop"] == sha


def test_a_name_stands_for_a_part_of_a_folders(
    config: GitRepository, collect: Collect, tmp_path: Path
) -> None:
    clone = new_repository(tmp_path / "clones" / "of-shop-1" / "main")
    sha = clone.commit("Change")
    clone.tag("v1")

    found = collect(clones="clones/of-{service}-1/main")

    assert [commit for *_, commit in told(found)] == [sha]


def test_a_name_of_two_lines_is_no_tag(
    config: GitRepository, shop: GitRepository, collect: Collect
) -> None:
    file = config.path / "all.yaml"
    file.write_text('"a\\nb": {tag: v1}\nshop: {tag: v1}\n', encoding="utf-8")
    config.commit("Begin anew")

    found = collect(
        file="all.yaml", value="{service}.tag", environment="live", clones="shop", tag="v1"
    )

    assert {line[0] for line in told(found)} == {"a\nb", "shop"}
    assert {
        line[0]: line[-1]
        for line in told(
            collect(
                file="all.yaml",
                value="{service}.tag",
                environment="live",
                clones="shop",
                tag="{service}/{version}",
            )
        )
    } == {"a\nb": None, "shop": None}
