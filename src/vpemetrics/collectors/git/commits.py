"""Commits as git tells them into records."""

from vpemetrics.collectors.base import IsBot
from vpemetrics.collectors.git.log import Logged, moment
from vpemetrics.collectors.git.subjects import picked_from, reverts
from vpemetrics.records import Commit


class Recorder:
    """A maker of records for the commits of one repository."""

    def __init__(self, repository: str, is_bot: IsBot) -> None:
        """The repository's name, and what tells bots by their names."""
        self._repository = repository
        self._bots = BotAuthors(is_bot)

    def __call__(self, one: Logged) -> Commit:
        """The record of a commit, without the paths it touches."""
        authored_at = moment(one.authored)
        is_as_written = one.committed == one.authored
        return Commit(
            sha=one.sha,
            repository=self._repository,
            parents=tuple(one.parents.split()),
            authored_at=authored_at,
            committed_at=authored_at if is_as_written else moment(one.committed),
            author=one.email or one.name or None,
            is_bot=self._bots[one.email, one.name],
            reverts_sha=reverts(one.message),
            picked_from_sha=picked_from(one.message),
        )


class BotAuthors(dict[tuple[str, str], bool | None]):
    """Bots, told by name, by address, or by the account a host made the address of."""

    def __init__(self, is_bot: IsBot) -> None:
        """Take the patterns that tell bots by their names."""
        super().__init__()
        self._is_bot = is_bot

    def __missing__(self, author: tuple[str, str]) -> bool | None:
        email, name = author
        # ID+ACCOUNT@users.noreply.github.com, or without the id.
        # https://docs.github.com/en/account-and-profile/reference/email-addresses-reference
        account = email.partition("@")[0].rpartition("+")[2]
        self[author] = found = any(map(self._is_bot, (email, name, account))) or None
        return found
