"""`python -m vpemetrics`, and what the installed command `vpemetrics` calls."""

import gc

from vpemetrics.cli import app


def main() -> None:
    """Runs the command line; ends the process with its exit code."""
    # Rows by the hundred thousand are no garbage: looking for cycles among them as often as
    # Python does by default takes an eighth of an import.
    gc.set_threshold(1_000_000, 20, 100)
    app(prog_name="vpemetrics")


if __name__ == "__main__":
    main()
