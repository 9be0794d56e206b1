"""Three services of GOV.UK since 2025 as records, read without the product's own importer.

The data lies beside the repository; where it is missing, tests marked with `needs_shared_data`
are skipped.
"""

import csv
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from vpemetrics.records import AnyRecord, AuthorKind, Change, Commit, Deployment, Status

ROOT = Path(__file__).parents[1]
FOLDER = ROOT.parent / "shared" / "data" / "govuk"

needs_govuk = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="no ../shared/data/govuk beside the repository"
)


def records() -> Iterator[AnyRecord]:
    """All rows of the three files."""
    yield from map(_commit, _rows("commits.csv"))
    yield from map(_change, _rows("pull_requests.csv"))
    yield from map(_deployment, _rows("deployments.csv"))


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


_KINDS = {None: None, True: AuthorKind.AUTOMATION, False: AuthorKind.PERSON}


def _commit(row: dict[str, str]) -> Commit:
    return Commit(
        sha=row["sha"],
        repository=row["repository"],
        parents=tuple(row["parents"].split()),
        authored_at=_moment(row["authored_at"]),
        committed_at=_moment(row["committed_at"]),
        author=row["author"] or None,
        author_kind=_KINDS[_flag(row["is_bot"])],
        reverts_sha=tuple(row["reverts_sha"].split()),
    )


def _change(row: dict[str, str]) -> Change:
    return Change(
        id=row["id"],
        repository=row["repository"],
        number=int(row["number"]),
        author=row["author"] or None,
        author_kind=_KINDS[_flag(row["is_bot"])],
        merged_at=_moment(row["merged_at"]),
        merge_commit_sha=row["merge_commit_sha"] or None,
        commit_shas=tuple(row["commit_shas"].split()),
        first_commit_at=_moment(row["first_commit_at"]),
    )


def _deployment(row: dict[str, str]) -> Deployment:
    return Deployment(
        id=row["id"],
        service=row["service"],
        repository=row["repository"],
        environment=row["environment"],
        status=Status(row["status"]),
        commit_sha=row["commit_sha"] or None,
        version=row["version"] or None,
        finished_at=_moment(row["finished_at"]),
        is_bot=_flag(row["is_bot"]),
    )


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _flag(text: str) -> bool | None:
    return {"true": True, "false": False}.get(text)
