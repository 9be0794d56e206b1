"""An organisation on a simulated GitHub that deploys in three ways, and a token to see it with."""

from datetime import UTC, datetime, timedelta

from github_server.world import Repo, World

TOKEN = "ghp_canary0123456789canaryCANARY"
NOW = datetime.now(UTC).replace(microsecond=0)
"""The clock of the server and of commands, which nobody sets, is the real one."""


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def deploying_world() -> World:
    """`shop` tells GitHub of deployments, `search` makes releases, `docs` merges, `old` sleeps.

    For 30 days there is a pull request a day in the first two.
    """
    world = World()
    shop, search, docs = (_repository(world, name) for name in ("shop", "search", "docs"))
    for day in range(30, 0, -1):
        _deployed(shop, day)
        _released(search, day)
    _merged(docs, 3)
    shop.files[".github/CODEOWNERS"] = "* @acme/payments\n"
    search.files["catalog-info.yaml"] = (
        "kind: Component\nmetadata: {name: finder}\nspec: {owner: 'group:discovery'}\n"
    )
    _repository(world, "old", born=400)
    return world


def _repository(world: World, name: str, born: float = 40) -> Repo:
    repo = world.repository(f"acme/{name}")
    repo.created_at = ago(born)
    repo.commit("Begin", author=world.account("ada"), at=ago(born))
    return repo


def _merged(repo: Repo, day: float) -> str:
    ada, branch = repo.world.account("ada"), f"work-{day}"
    work = repo.commit("Work", author=ada, at=ago(day), branch=branch, parents=[repo.tip or ""])
    pull = repo.open_pull("Improve it", author=ada, commits=[work.oid], at=ago(day), head=branch)
    repo.review(pull, "APPROVED", by=repo.world.account("bob"), at=ago(day - 0.1))
    return repo.merge(pull, at=ago(day - 0.2)).oid


def _deployed(repo: Repo, day: float) -> None:
    oid = _merged(repo, day)
    for at, environment in ((day - 0.3, "staging"), (day - 0.4, "production")):
        made = repo.deploy(oid, environment, at=ago(at), by=repo.world.account("ada"))
        repo.say(made, "SUCCESS", at=ago(at - 0.01))
    if day % 10 == 0:
        issue = repo.open_issue("Down", author=None, at=ago(day - 0.5), labels=["incident"])
        repo.close(issue, at=ago(day - 0.6))


def _released(repo: Repo, day: float) -> None:
    oid = _merged(repo, day)
    if day % 10 == 5:
        ada = repo.world.account("ada")
        repo.tag(f"v1.{100 - day}", oid, at=ago(day - 0.3))
        repo.release(f"v1.{100 - day}", at=ago(day - 0.3), created_at=ago(day - 0.2), by=ada)
