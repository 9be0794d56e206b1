"""The user of this process, as decisions are signed."""

import os
from getpass import getuser


def login_name() -> str:
    """The name that a decision is signed with: that of the login."""
    try:
        return getuser()
    except (OSError, KeyError):  # a container's user may have no name
        return f"user {os.getuid()}"
