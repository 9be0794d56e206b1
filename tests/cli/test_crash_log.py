from vpemetrics import __version__
from vpemetrics.cli import crash_log


def failing(secret: str) -> Exception:
    try:
        try:
            raise KeyError(secret)
        except KeyError as error:
            raise ValueError(f"cannot use {secret}") from error
    except ValueError as error:
        return error


def test_a_log_shows_where_but_not_what() -> None:
    log = crash_log.log(failing("acme/payments"))

    assert __version__ in log
    assert "builtins.ValueError" in log
    assert "builtins.KeyError" in log  # what it came from
    assert "in failing" in log
    assert "acme/payments" not in log


def test_what_is_told_hides_secrets() -> None:
    from pathlib import Path

    said = crash_log.message(failing("postgresql://me:hunter2@db/metrics"), Path("error.log"))

    assert "ValueError: cannot use" in said
    assert "hunter2" not in said
    assert "error.log" in said
