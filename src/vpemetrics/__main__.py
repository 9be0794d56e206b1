"""`python -m vpemetrics`, and what the installed command `vpemetrics` calls."""

from vpemetrics.cli import app


def main() -> None:
    """Runs the command line; ends the process with its exit code."""
    app(prog_name="vpemetrics")


if __name__ == "__main__":
    main()
