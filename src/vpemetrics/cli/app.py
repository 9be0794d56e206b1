"""The commands, in the order of `--help`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from vpemetrics import __version__
from vpemetrics.cli import db, triage
from vpemetrics.cli.chart import chart
from vpemetrics.cli.check import check
from vpemetrics.cli.collecting import collect
from vpemetrics.cli.demo import demo
from vpemetrics.cli.explain import explain
from vpemetrics.cli.exporting import export
from vpemetrics.cli.forget import forget
from vpemetrics.cli.importing import import_
from vpemetrics.cli.init import init
from vpemetrics.cli.recompute import recompute
from vpemetrics.cli.report import report
from vpemetrics.cli.schedule import schedule
from vpemetrics.cli.session import program
from vpemetrics.cli.status import status
from vpemetrics.cli.trust import trust
from vpemetrics.cli.version import version as version_command
from vpemetrics.hidden_characters import reveal


class Commands(TyperGroup):
    """The commands; what a usage error quotes of a command line hides nothing."""

    def make_context(self, *given: Any, **more: Any) -> Any:
        """The context of a run, from its arguments."""
        with _reveal_errors():
            return super().make_context(*given, **more)

    def invoke(self, ctx: Any) -> Any:
        """Run the command that is asked for."""
        with _reveal_errors():
            return super().invoke(ctx)


@contextmanager
def _reveal_errors() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        # All usage errors have one, and typer shows them later.
        if isinstance(said := getattr(error, "message", None), str):
            error.message = reveal(said)  # type: ignore[attr-defined]  # it has one
        raise


app: Final = typer.Typer(
    name="vpemetrics",
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"vpemetrics {__version__}")
        raise typer.Exit


@app.callback()
@program
def vpemetrics(
    version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_print_version, help="Print the version."
        ),
    ] = False,
) -> None:
    """The five DORA metrics of software delivery, from the records you have.

    Begin with `vpemetrics init` in a git clone or a folder of clones.
    """


app.command()(demo)
app.command()(init)
app.command()(check)
app.command()(trust)
app.command("import")(import_)
app.command()(collect)
app.command()(report)
app.command()(chart)
app.command()(explain)
app.add_typer(triage.app, name="triage")
app.command()(status)
app.command()(schedule)
app.command()(export)
app.command()(forget)
app.command()(recompute)
app.add_typer(db.app, name="db")
app.command()(version_command)
