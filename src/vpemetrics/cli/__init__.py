"""The command line: one file a command, `session` for what they all share, `app` to find them."""

from vpemetrics.cli.app import app

__all__ = ["app"]
