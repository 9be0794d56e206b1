"""`python -m vpemetrics`, and what the installed command `vpemetrics` calls.

Nothing is imported before the working directory is out of the way.
"""

import os
import sys

from vpemetrics.search_paths import leave_out_working_directory

_WITH_VALUES = ("--config", "--store")


def main() -> None:
    """Runs the command line; ends the process with its exit code."""
    _open_closed_streams()
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
    except OSError as error:  # help that cannot be written, as all else is seen to by then
        from vpemetrics.cli.session import let_go_of_stdout, problem_with

        print(f"error: {problem_with(error)}", file=sys.stderr)
        let_go_of_stdout()
        sys.exit(1)
    finally:
        gc.freeze()  # or Python looks for cycles in all of it once more, 0.1 s before it ends


def _open_closed_streams() -> None:
    """Let no file that is opened later, as a store, become stdin, stdout or stderr.

    What is printed would go into it. What is written to a stdout that was closed fails.
    """
    # https://docs.python.org/3/library/sys.html#sys.__stdout__
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            # The lowest number that is free, which this is by now.
            opened = os.open(os.devnull, os.O_WRONLY if name == "stderr" else os.O_RDONLY)
            if opened == number:
                os.set_inheritable(number, True)
                mode = "r" if name == "stdin" else "w"
                setattr(sys, name, os.fdopen(number, mode, closefd=False))


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
