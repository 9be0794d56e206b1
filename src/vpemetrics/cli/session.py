"""The common part of commands: options, the configuration, the store, talking to people.

Data goes to stdout and everything said beside it to stderr. An error of ours is printed and
ends with 1; a bug is written to a log and ends with 3; an interruption ends with 130.
Nothing heavy is imported before it is needed, so that `--help` answers at once.
"""

import errno
import inspect
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from os.path import samefile
from pathlib import Path
from shlex import quote
from shutil import which
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, Final, ParamSpec

import typer

from vpemetrics.errors import FixConfiguration, VpemetricsError
from vpemetrics.hidden_characters import reveal, reveal_line
from vpemetrics.patterns import EndlessPattern

if TYPE_CHECKING:
    from vpemetrics.cli.progress import Shown
    from vpemetrics.config.load import Configuration
    from vpemetrics.config.stores import StoreChoice
    from vpemetrics.config.trust import Disclosure

KNOWN, BUG, INTERRUPTED = 1, 3, 130

_NAME: Final = "vpemetrics"
_NARROWEST: Final = 20
_QUIET: Final = "\x1b[2m{}\x1b[0m"
_ALARM: Final = "\x1b[1m{}\x1b[0m"

P = ParamSpec("P")


@dataclass(frozen=True, kw_only=True)
class Session:
    """One run of a command: the options that every command has, and what follows from them."""

    config: Path | None = None
    store: str | None = None
    quiet: bool = False
    verbose: bool = False
    no_color: bool = False

    def note(self, *lines: str) -> None:
        """Say something beside the data, unless silence was asked for."""
        if not self.quiet:
            self._say("\n".join(map(reveal_line, lines)), _QUIET)

    def detail(self, text: str) -> None:
        """Say something that only those who asked for more want to know."""
        if self.verbose:
            self._say(reveal_line(text), _QUIET)

    def warn(self, text: str) -> None:
        """Say what nobody should miss, however quiet they like it, further lines set in."""
        self._say(set_in("warning: ", text))

    def fail(self, text: str) -> None:
        """Say why the command could not do its work, further lines set in."""
        self._say(set_in("error: ", text), _ALARM)

    def hint(self, command: str) -> str:
        """A command to copy that works on the same store under the same configuration."""
        options = {"--config": self.config, "--store": self.store}
        given = [f" {name} {quote(str(value))}" for name, value in options.items() if value]
        return f"{program_name()} {command}{''.join(given)}"

    def colors(self, stream: Any) -> bool:
        """Tell whether a stream is a terminal that shows colours, and colours are welcome."""
        # Any value but an empty one counts: https://no-color.org
        unwelcome = self.no_color or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
        return not unwelcome and bool(stream.isatty())

    @property
    def shows_progress(self) -> bool:
        """Tell whether anybody would see a bar."""
        return not self.quiet and sys.stderr.isatty()

    @contextmanager
    def time_step(self, step: str) -> Iterator[None]:
        """Tell those who asked for more how long a step took."""
        start = perf_counter()
        yield
        self.detail(f"{step}: {perf_counter() - start:.2f} s")

    @contextmanager
    def progress(self, step: str) -> Iterator["Shown"]:
        """A bar on stderr for work that takes a while; no bar off a terminal or when quiet."""
        from vpemetrics.cli.progress import NoBar, bar

        with self.time_step(step):
            if not self.shows_progress:
                yield NoBar(self.note)
                return
            with bar(step) as shown:
                yield shown

    def configuration(self) -> "Configuration":
        """The configuration in force, checked."""
        from vpemetrics.config.load import find, load, load_found

        path = find(Path.cwd(), self.config, os.environ)
        self.detail(f"configuration: {path or 'none, everything has its default'}")
        return load(path, os.environ) if self.config else load_found(path, os.environ)

    def choose_store(
        self, configuration: "Configuration", *, for_import: bool = False
    ) -> "StoreChoice":
        """The store to use."""
        from vpemetrics.config.stores import choose_store

        choice = choose_store(
            self.store, configuration, Path.cwd(), os.environ, for_import=for_import
        )
        self.require_trust(configuration, choice.disclosures)
        if choice.found is not None:
            from vpemetrics.config.permissions import check_store_permissions

            check_store_permissions(choice.found, os.environ)
        return choice

    def require_trust(
        self, configuration: "Configuration", disclosures: Iterable["Disclosure"]
    ) -> None:
        """Go on only if a person allows what a configuration that was found sends.

        Asked for once; where there is nobody to ask, FixConfiguration with the command that does.
        """
        file = configuration.found_in
        if file is None:
            return
        from vpemetrics.config.trust import allow, describe, refusal, untrusted

        lacking = untrusted(file, disclosures, os.environ)
        if not lacking:
            return
        if not self.can_ask:
            raise refusal(file, lacking, program_name(anywhere=True))
        self._say(describe(file, lacking))
        if not typer.confirm("Allow it from now on?", default=False, err=True):
            raise FixConfiguration("not allowed; nothing was sent")
        allow(file, lacking, os.environ, datetime.now(UTC))

    @property
    def can_ask(self) -> bool:
        """Tell whether there is a person to ask."""
        return sys.stdin.isatty() and sys.stderr.isatty()

    def _say(self, text: str, style: str = "{}") -> None:
        from vpemetrics.cli.output import print_beside

        print_beside(_fit_terminal(text), style if self.colors(sys.stderr) else "{}")


def set_in(label: str, text: str) -> str:
    """A text behind a label, its further lines as far in, so that none looks like a message."""
    return label + f"\n{' ' * len(label)}".join(text.splitlines())


def _fit_terminal(text: str, behind: int = 0) -> str:
    """The text on lines as a terminal is wide, `behind` so many columns; elsewhere as it is."""
    text = reveal(text)
    if not sys.stderr.isatty():
        return text
    from vpemetrics.cli.output import width
    from vpemetrics.cli.wrapping import break_lines

    return break_lines(text, max(_NARROWEST, width() - behind))


def program_name(*, anywhere: bool = False) -> str:
    """The word to type for this program: its name where the shell finds it, else its path.

    `anywhere`: in other folders than this one too.
    """
    called = Path(sys.argv[0])
    if called.stem != _NAME:  # run by Python itself, as a module
        return _NAME
    found = which(_NAME)
    if found and called.exists() and samefile(found, called):
        return _NAME
    return quote(str(called.absolute() if anywhere else called))


# The options that every command has, as typer reads them from a function's parameters.
_SHARED: Final[dict[str, Any]] = {
    "config": Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Configuration to use instead of the nearest vpemetrics.toml."
        ),
    ],
    "store": Annotated[
        str | None,
        typer.Option(metavar="PATH", help="Store to use: a file, or env:NAME for a secret URL."),
    ],
    "quiet": Annotated[
        bool, typer.Option("--quiet", "-q", help="No notes and no progress on stderr.")
    ],
    "verbose": Annotated[
        bool, typer.Option("--verbose", "-v", help="Say which files are used and what takes time.")
    ],
    "no_color": Annotated[
        bool, typer.Option("--no-color", help="No colour; so does the variable NO_COLOR.")
    ],
}


def command(function: Callable[Concatenate[Session, P], None]) -> Callable[..., None]:
    """The function as a command: with the options all of them have, and its errors told.

    The options may stand before the command's name or behind it; behind it wins.
    """

    def run(context: typer.Context, **given: Any) -> None:
        before: Session = context.find_root().obj
        behind = {name: value for name in _SHARED if (value := given.pop(name))}
        session = replace(before, **behind)
        with _report_errors(session):
            # What it takes beside the session is in its signature, which typer reads.
            function(session, **given)  # type: ignore[call-arg]

    return _with_shared_options(run, function, _parameters(function)[1:])


def program(function: Callable[P, None]) -> Callable[..., None]:
    """The function as what runs before every command, with the options all of them have."""

    def run(context: typer.Context, **given: Any) -> None:
        context.obj = Session(**{name: given.pop(name) for name in _SHARED})
        function(**given)  # type: ignore[call-arg]  # its own options, by its signature

    return _with_shared_options(run, function, _parameters(function))


def _parameters(function: Callable[..., None]) -> list[inspect.Parameter]:
    return list(inspect.signature(function, eval_str=True).parameters.values())


def _with_shared_options(
    run: Callable[..., None], function: Callable[..., None], own: list[inspect.Parameter]
) -> Callable[..., None]:
    """`run` under the name and help of a function, with its own and the shared parameters."""
    shared = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            annotation=annotation,
            default=False if "bool" in str(annotation) else None,
        )
        for name, annotation in _SHARED.items()
    ]
    context = inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
    own = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
    parameters = [context, *own, *shared]
    run.__name__, run.__doc__ = function.__name__, function.__doc__
    # What inspect looks at first, though functions do not declare it.
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def problem_with(error: OSError) -> str:
    """The words for what a file or device would not do."""
    if error.errno == errno.EBADF and not error.filename:
        return "standard output is closed"
    place = f"{error.filename}: " if error.filename else ""
    return f"{place}{error.strerror or error}"


def let_go_of_stdout() -> None:
    """Forget what stdout could not take; Python would try again at its end, and fail as a bug."""
    # https://docs.python.org/3/library/signal.html#note-on-sigpipe
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def _report_errors(session: Session) -> Iterator[None]:
    """Tell people of what went wrong, and end with the exit code it has."""
    try:
        yield
    except typer.BadParameter as error:
        label = "Error: "  # which comes before what the error says
        behind = len(label) + len(error.format_message()) - len(error.message)
        lines = _fit_terminal(error.message, behind).splitlines()
        error.message = f"\n{' ' * len(label)}".join(lines)
        raise
    except (typer.Exit, typer.Abort, BrokenPipeError):
        raise
    except EndlessPattern as error:
        from vpemetrics.config.load import find

        session.fail(f"{find(Path.cwd(), session.config, os.environ)}: {error}")
        raise typer.Exit(KNOWN) from None
    except VpemetricsError as error:
        session.fail(str(error))
        raise typer.Exit(KNOWN) from None
    except KeyboardInterrupt:
        session.fail(
            "interrupted; nothing was saved by halves\nRun the same command again to go on"
        )
        raise typer.Exit(INTERRUPTED) from None
    except OSError as error:  # a file or device that would not do what was asked
        session.fail(problem_with(error))
        let_go_of_stdout()
        raise typer.Exit(KNOWN) from None
    except Exception as error:
        from vpemetrics.cli.crash_log import keep, message

        session.fail(message(error, keep(error, os.environ)))
        raise typer.Exit(BUG) from None
