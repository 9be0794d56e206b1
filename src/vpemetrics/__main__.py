"""`python -m vpemetrics`, and what the installed command `vpemetrics` calls.

Nothing is imported before the working directory is out of the way.
"""

import sys

from vpemetrics.search_paths import leave_out_working_directory

_WITH_VALUES = ("--config", "--store")


def main() -> None:
    """Runs the command line; ends the process with its exit code."""
    leave_out_working_directory(is_module=__name__ == "__main__")
    import gc
    import signal

    if _command(sys.argv[1:]) == "schedule":
        # Whoever stops it has what they want, however little it has begun with.
        signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(0))
    from vpemetrics.cli import app  # takes a good part of the first second

    # Rows by the hundred thousand are no garbage: looking for cycles among them as often as
    # Python does by default takes an eighth of an import.
    gc.set_threshold(1_000_000, 20, 100)
    try:
        app(prog_name="vpemetrics")
    finally:
        gc.freeze()  # or Python looks for cycles in all of it once more, 0.1 s before it ends


def _command(arguments: list[str]) -> str | None:
    """The command that is asked for, behind the options that may come before it."""
    words = iter(arguments)
    for word in words:
        if word in _WITH_VALUES:
            next(words, None)
        elif not word.startswith("-"):
            return word
    return None


if __name__ == "__main__":
    main()
