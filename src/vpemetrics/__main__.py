"""`python -m vpemetrics`, and what the installed command `vpemetrics` calls."""

import gc

from vpemetrics.cli import app


def main() -> None:
    """Runs the command line; ends the process with its exit code."""
    # Rows by the hundred thousand are no garbage: looking for cycles among them as often as
    # Python does by default takes an eighth of an import.
    gc.set_threshold(1_000_000, 20, 100)
    try:
        app(prog_name="vpemetrics")
    finally:
        gc.freeze()  # or Python looks for cycles in all of it once more, 0.1 s before it ends


if __name__ == "__main__":
    main()
