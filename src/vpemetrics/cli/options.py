"""Options that several commands have, and the windows and ranges of dates they mean."""

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from vpemetrics.window import Window

Week = Annotated[
    str | None,
    typer.Option(metavar="2026-W36", help="An ISO week; default: the last complete one."),
]
Month = Annotated[str | None, typer.Option(metavar="2026-09", help="A calendar month.")]
Quarter = Annotated[str | None, typer.Option(metavar="2026-Q3", help="A calendar quarter.")]
From = Annotated[
    str | None, typer.Option("--from", metavar="DATE", help="First date of a range of your own.")
]
To = Annotated[
    str | None, typer.Option("--to", metavar="DATE", help="First date after that range.")
]
Service = Annotated[str | None, typer.Option(metavar="NAME", help="One service only.")]
Team = Annotated[str | None, typer.Option(metavar="NAME", help="The services of one team only.")]
Json = Annotated[bool, typer.Option("--json", help="As JSON, for programs.")]


def window(
    *,
    week: str | None,
    month: str | None,
    quarter: str | None,
    start: str | None,
    end: str | None,
    zone: str,
) -> "Window | None":
    """The window that was asked for; None if none was. A usage error if it is none, or several."""
    from vpemetrics.window import parse_month, parse_quarter, parse_week

    named = {
        "--week": week,
        "--month": month,
        "--quarter": quarter,
        "--from and --to": start or end,
    }
    given = [name for name, value in named.items() if value]
    if len(given) > 1:
        raise typer.BadParameter(f"{' and '.join(given)} exclude each other; give one window")
    if week:
        return _parse(parse_week, week, zone, "--week")
    if month:
        return _parse(parse_month, month, zone, "--month")
    if quarter:
        return _parse(parse_quarter, quarter, zone, "--quarter")
    return _range(start, end, zone) if start or end else None


def exclusive_scope(service: str | None, team: str | None) -> None:
    """A usage error if both a service and a team are asked for."""
    if service and team:
        raise typer.BadParameter("--service and --team exclude each other; give one of them")


def dates(start: str, end: str, hint: str) -> tuple[date, date]:
    """A half-open range of dates from two texts. A usage error that says what was expected."""
    first, out = parse_date(start, hint), parse_date(end, hint)
    if out <= first:
        raise typer.BadParameter(
            f"{end} is not after {start}; the first date is in and the last is out",
            param_hint=hint,
        )
    return first, out


def _range(start: str | None, end: str | None, zone: str) -> "Window":
    from vpemetrics.window import Window

    if not (start and end):
        raise typer.BadParameter("--from and --to go together: --from is in, --to is out")
    first, out = dates(start, end, "--from and --to")
    return _counted(Window(start=first, end=out, zone=zone), f"{start}..{end}", "--from and --to")


def _parse(parse: Callable[[str, str], "Window"], text: str, zone: str, hint: str) -> "Window":
    try:
        return _counted(parse(text, zone), text, hint)
    except (ValueError, OverflowError) as error:
        said = str(error) if text in str(error) else f"{text!r}: {error}"
        raise typer.BadParameter(said, param_hint=hint) from None


def _counted(window: "Window", text: str, hint: str) -> "Window":
    from vpemetrics.window import FIRST_YEAR, LAST_YEAR

    if window.start.year >= FIRST_YEAR and window.end.year <= LAST_YEAR:
        return window
    raise typer.BadParameter(
        f"{text} is not within the years {FIRST_YEAR} to {LAST_YEAR}", param_hint=hint
    )


def parse_date(text: str, hint: str) -> date:
    """Read the date that an option gives; `hint` is what the option is called."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is no date; expected one like 2026-09-01", param_hint=hint
        ) from None
