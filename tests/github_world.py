"""A small GitHub on which everything that we ask for happened at least once."""

from datetime import UTC, datetime, timedelta

from github_server.things import Account, Issue, Pull
from github_server.world import Repo, World

from vpemetrics.demo.mainline import Joining

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
NEXT_WEEK = MONDAY + timedelta(days=7)


def after(hours: float) -> datetime:
    """A moment so long after Monday morning."""
    return MONDAY + timedelta(hours=hours)


def busy_world() -> World:
    """`acme/shop` with a bit of everything, a repository with nothing, and one renamed."""
    world = World()
    shop = world.repository("acme/shop")
    _commits_and_tags(shop)
    incident = _incident(shop)
    _pulls(shop, incident)
    _deployments(shop)
    world.repository("acme/empty").default_branch = None
    renamed = world.repository("acme/old-name")
    renamed.commit("All there is", author=world.account("ada"), at=after(1))
    world.rename(renamed, "acme/new-name")
    return world


def _commits_and_tags(shop: Repo) -> None:
    ada = shop.world.account("ada", name="Ada", email="ada@example.com")
    for hour in range(5):
        path = "cart/sum.py" if hour % 2 else "README.md"
        shop.commit(f"Step {hour}\n\nWhy.", author=ada, at=after(hour), paths=(path,))
    tip = shop.tip or ""
    shop.tag("v1.0.0", tip, at=after(5), tagger=ada)
    shop.tag("v1.0.1", tip, at=after(5.5))
    shop.release("v1.0.0", at=after(6), created_at=after(4), by=ada)
    shop.release("v1.0.1", at=None, created_at=after(4), by=None)


def _incident(shop: Repo) -> Issue:
    ada = shop.world.account("ada")
    issue = shop.open_issue("Cart is down", author=ada, at=after(7), labels=["incident"])
    shop.label(issue, "sev1", at=after(7.1), by=ada)
    shop.unlabel(issue, "sev1", at=after(7.2))
    shop.comment(issue, "Looking into it.", at=after(7.3))
    shop.comment(issue, "root cause: the last one", at=after(7.5), by=ada)
    shop.close(issue, at=after(8), by=ada)
    shop.reopen(issue, at=after(8.5), by=ada)
    shop.open_issue("Late mails", author=None, at=after(9), labels=["incident"])
    return issue


def _pulls(shop: Repo, incident: Issue) -> None:
    ada, bob = shop.world.account("ada"), shop.world.account("bob")
    bot = shop.world.account("renovate[bot]")
    fix = _pull(shop, "Fix the cart", 3, body=f"Fixes #{incident.number}", draft=True)
    shop.label(fix, "hotfix", at=after(21), by=ada)
    shop.ready(fix, at=after(22))
    shop.review(fix, "COMMENTED", by=bot, at=after(22.5))
    shop.review(fix, "APPROVED", by=bob, at=after(23))
    shop.merge(fix, at=after(24), by=bob)
    shop.merge(_pull(shop, "Merged as it was", 2), at=after(30), how=Joining.MERGE, by=ada)
    shop.merge(_pull(shop, "Rebased", 2), at=after(36), how=Joining.REBASE, by=ada)
    linked = _pull(shop, "Open, by a ghost", 1)
    linked.author = None
    shop.review(linked, "CHANGES_REQUESTED", by=None, at=after(40))
    shop.connect(linked, incident, at=after(41), by=ada)
    shop.to_draft(linked, at=after(42))
    shop.close(_pull(shop, "Given up", 1), at=after(43), by=ada)


def _pull(shop: Repo, title: str, size: int, *, body: str = "", draft: bool = False) -> Pull:
    bob = shop.world.account("bob")
    before, oids = [shop.tip or ""], []
    for step in range(size):
        made = shop.commit(
            f"{title}, {step}", author=bob, at=after(10 + step), branch="work", parents=before
        )
        before = [made.oid]
        oids.append(made.oid)
    return shop.open_pull(title, author=bob, commits=oids, at=after(20), body=body, draft=draft)


def _deployments(shop: Repo) -> None:
    ada, tip = shop.world.account("ada"), shop.tip or ""
    first = shop.deploy(tip, "production", at=after(50), by=ada)
    for hour, state in enumerate(["QUEUED", "IN_PROGRESS", "SUCCESS"]):
        shop.say(first, state, at=after(50 + hour))
    second = shop.deploy("0" * 40, "production", at=after(60), by=shop.world.account("ci[bot]"))
    shop.say(second, "SUCCESS", at=after(61))
    shop.say(shop.deploy(tip, "staging", at=after(62), by=ada), "FAILURE", at=after(63))
    shop.deploy(tip, "production", at=after(64), by=ada)


def ada(repo: Repo) -> Account:
    """The account that does what happens."""
    return repo.world.account("ada")


def pull(repo: Repo, title: str, at: datetime, size: int = 1, *, body: str = "") -> int:
    """An open pull request with commits of its own; its number."""
    before, oids = [repo.tip or ""], []
    for step in range(size):
        made = repo.commit(
            f"{title}, {step}",
            author=ada(repo),
            at=at - timedelta(hours=size - step),
            branch=f"branch-{title}",
            parents=before,
        )
        before = [made.oid]
        oids.append(made.oid)
    return repo.open_pull(title, author=ada(repo), commits=oids, at=at, body=body).number
