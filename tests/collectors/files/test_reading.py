import json
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from vpemetrics.collectors.base import CollectionContext
from vpemetrics.collectors.files.collect import collect
from vpemetrics.collectors.files.options import Options
from vpemetrics.collectors.files.reading import read
from vpemetrics.errors import BadRow, BadRows, FixInput
from vpemetrics.records import (
    AuthorKind,
    Change,
    Commit,
    Coverage,
    CoverageKind,
    Deployment,
    Incident,
    Repository,
    Sourced,
    Status,
)

A, B, C = "a" * 40, "b" * 40, "c" * 40

Write = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path) -> Write:
    """Writes files into one folder, by keyword `kind` or by name, and gives the folder."""

    def write(files: dict[str, str | bytes]) -> Path:
        for name, text in files.items():
            raw = text if isinstance(text, bytes) else text.encode()
            (tmp_path / name).write_bytes(raw)
        return tmp_path

    return write


def records(path: Path, **options: object) -> list[object]:
    """What was read, without the coverage that follows from it."""
    found = read(path, **options)
    return [record for _, record in found if not isinstance(record, Coverage)]


NOW = datetime(2026, 9, 1, 23, 30, tzinfo=UTC)


def mistakes(path: Path) -> list[BadRow]:
    with pytest.raises(BadRows) as caught:
        list(read(path, now=NOW))
    return list(caught.value.rows)


def places(path: Path) -> list[tuple[str, int, str]]:
    return [(row.file, row.line, row.column) for row in mistakes(path)]


# --- good files ---------------------------------------------------------------------------------


def test_a_csv_row_becomes_a_record(folder: Write) -> None:
    path = folder(
        {
            "commits.csv": "sha,repository,parents,authored_at,is_bot,paths\n"
            f"{A.upper()},acme/shop,{B} {C},2026-09-01T14:00:00+02:00,TRUE,a\\;b;c\\\\d\n"
            f"{B},acme/shop,,,0,;\n"
            f"{C},acme/shop,,,,\n"
        }
    )

    assert records(path) == [
        Commit(
            sha=A,
            repository="acme/shop",
            parents=(B, C),
            authored_at=datetime(2026, 9, 1, 12, tzinfo=UTC),
            author_kind=AuthorKind.AUTOMATION,
            paths=("a;b", "c\\d"),
        ),
        Commit(sha=B, repository="acme/shop", author_kind=AuthorKind.PERSON, paths=()),
        Commit(sha=C, repository="acme/shop", paths=None),
    ]


def test_a_line_of_json_becomes_a_record(folder: Write) -> None:
    path = folder(
        {
            "incidents.jsonl": '{"id": "1", "service": ["shop", "a;b"], "severity": 2, '
            '"external": false, "detected_at": "2026-09-01T12:00:00Z", "title": null}\n'
            "\n"
            '{"id": "2", "title": "", "cause_sha": "ABCDEF1"}'
        }
    )

    assert records(path) == [
        Incident(
            id="1",
            service=("shop", "a;b"),
            severity=2,
            external=False,
            detected_at=datetime(2026, 9, 1, 12, tzinfo=UTC),
        ),
        Incident(id="2", cause_sha="abcdef1"),
    ]


def test_a_commit_may_revert_several(folder: Write) -> None:
    rows = f"sha,repository,reverts_sha\n{A},s,{B}\n{B},s,{C} {A}\n{C},s,\n"
    lines = (
        f'{{"sha": "{A}", "repository": "s", "reverts_sha": "{B}"}}',  # while one was all there was
        f'{{"sha": "{B}", "repository": "s", "reverts_sha": ["{C}", "{A.upper()}"]}}',
        f'{{"sha": "{C}", "repository": "s"}}',
    )
    expected = [(B,), (C, A), ()]

    for name, text in (("commits.csv", rows), ("commits.jsonl", "\n".join(lines))):
        told = records(folder({name: text}) / name)
        assert [one.reverts_sha for one in told if isinstance(one, Commit)] == expected


def test_cells_may_hold_quotes_and_lines(folder: Write) -> None:
    path = folder({"pull_requests.csv": 'id,repository,title\r\n1,r,"a ""b"", c\r\nd"\r\n'})

    assert records(path) == [Change(id="1", repository="r", title='a "b", c\r\nd')]


def test_a_byte_order_mark_is_no_part_of_the_header(folder: Write) -> None:
    path = folder({"repositories.csv": "\ufeffid,name\n1,r\n"})

    assert records(path) == [Repository(id="1", name="r")]


def test_blank_lines_are_nothing(folder: Write) -> None:
    path = folder({"repositories.csv": "id,name\n\n1,r\n\n"})

    assert records(path) == [Repository(id="1", name="r")]


def test_rows_may_name_their_source(folder: Write) -> None:
    path = folder({"repositories.csv": "source,id,name\nhub,1,r\n,2,q\n"})

    assert list(read(path, source="mine")) == [
        ("hub", Repository(id="1", name="r")),
        ("mine", Repository(id="2", name="q")),
    ]


def test_a_single_file_can_be_read(folder: Write) -> None:
    path = folder({"repositories.csv": "id,name\n1,r\n", "runs.csv": "broken"})

    assert records(path / "repositories.csv") == [Repository(id="1", name="r")]


def test_automation_is_marked_where_the_file_does_not_say(folder: Write) -> None:
    path = folder(
        {
            "pull_requests.csv": "id,repository,author,author_kind,is_bot\n"
            "1,r,x[bot],,\n2,r,Robo-7,,\n3,r,Jacob,,\n4,r,x[bot],,false\n"
            "5,r,Jacob,,true\n6,r,Jacob,agent,true\n7,r,x[bot],person,\n"
        }
    )

    kinds = [record.author_kind for record in records(path, bots=["robo-*"])]  # type: ignore[attr-defined]
    assert kinds == [*["automation"] * 2, None, "person", "automation", "agent", "person"]


def test_the_collector_reads_the_same(folder: Write) -> None:
    path = folder({"repositories.csv": "source,id,name\nhub,1,r\n"})

    context = CollectionContext(
        source="exports", now=datetime(2026, 9, 7, tzinfo=UTC), folder=path.parent
    )
    (batch,) = collect(Options(path=path.name), context)

    assert list(batch.records) == [Repository(id="1", name="r")]
    assert not batch.cursors


def test_unknown_columns_are_told_once_with_the_nearest_name(folder: Write) -> None:
    path = folder(
        {
            "repositories.csv": "id,name,alias\n1,r,\n2,q,\n",
            "runs.jsonl": '{"id":"1","repository":"r","outcome":"x","nmae":1}\n'
            '{"id":"2","repository":"r","outcome":"x","nmae":1}\n',
        }
    )
    told: list[str] = []

    assert len(records(path, warn=told.append)) == 4
    assert told == [
        "repositories.csv: column 'alias' is unknown (did you mean aliases?)",
        "runs.jsonl: column 'nmae' is unknown (did you mean name?)",
    ]


def test_files_with_other_names_are_told(folder: Write) -> None:
    path = folder({"repositories.csv": "id,name\n", "incident.csv": "", "notes.txt": ""})
    told: list[str] = []

    assert records(path, warn=told.append) == []
    assert len(told) == 1
    assert told[0].startswith(
        "incident.csv was not read: no kind of record has this name (did you mean incidents?)"
    )


# --- bad cells ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "column", "cell", "reason"),
    [
        ("commits", "authored_at", "2026-09-01T12:00:00", "time without a zone"),
        ("commits", "authored_at", "2026-09-01", "write 2026-09-01T00:00:00Z if it is UTC"),
        ("commits", "authored_at", "2026-09-01 12:00", "write 2026-09-01T12:00:00Z if it is UTC"),
        ("commits", "authored_at", "yesterday", "expected a time like"),
        ("commits", "authored_at", "2026-13-01T00:00:00Z", "expected a time like"),
        ("commits", "authored_at", "0001-01-01T00:00:00+10:00", "expected a time like"),
        ("commits", "authored_at", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z is before 1990;"),
        ("incidents", "resolved_at", "1970-01-01T00:00:00Z", "leave the cell empty if there is no"),
        ("incidents", "resolved_at", "1989-12-31T23:00:00.5-00:30", "is before 1990"),
        ("deployments", "started_at", "9999-12-31T23:59:59Z", "is yet to come"),
        ("coverage", "end", "2026-09-03T00:00:00Z", "is yet to come; correct it"),
        ("commits", "is_bot", "ja", "expected true or false, found 'ja'"),
        ("commits", "parents", f"{A} bbbbbbb", "expected a whole commit id"),  # cut short
        ("commits", "reverts_sha", f"{B} {A}a", "expected a whole commit id"),
        ("commits", "paths", "a\\", "ends in a backslash"),
        ("deployments", "status", "success", "did you mean succeeded?"),
        ("deployments", "status", "", "is required, but empty"),
        ("incidents", "cause_sha", "abcdef", "7 to 64 hexadecimal digits"),  # six
        ("incidents", "severity", "1.5", "expected a whole number"),
        ("incidents", "severity", "1_000", "expected a whole number"),
        ("incidents", "severity", "9" * 19, "expected a whole number"),  # more than 64 bits
        ("coverage", "end", "2026-01-01T00:00:00Z", "must end after it starts"),
        ("coverage", "kind", "deploys", "valid are commits, deployments"),
    ],
)
def test_a_bad_cell_is_named_by_file_line_column_and_reason(
    folder: Write, kind: str, column: str, cell: str, reason: str
) -> None:
    good = {
        "commits": {"sha": C, "repository": "r"},
        "deployments": {"id": "1", "environment": "e", "status": "failed"},
        "incidents": {"id": "1"},
        "coverage": {
            "scope": "*",
            "kind": "runs",
            "start": "2026-01-01T00:00:00Z",
            "end": "2026-01-02T00:00:00Z",
        },
    }[kind]
    row = good | {column: cell}
    path = folder({f"{kind}.csv": f"{','.join(row)}\n{','.join(row.values())}\n"})

    (bad,) = mistakes(path)
    assert (bad.file, bad.line, bad.column) == (f"{kind}.csv", 2, column)
    assert reason in bad.reason
    assert bad.text == ",".join(row.values())


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ('"title": 3', "expected a text, found 3"),
        ('"severity": "2"', "expected a whole number"),
        ('"severity": true', "expected a whole number"),
        ('"severity": 2.0', "expected a whole number"),
        ('"service": "shop"', "expected a list of texts"),
        ('"service": [1]', "expected a list of texts"),
        ('"external": "perhaps"', "expected true or false"),
        ('"detected_at": "2026-01-01T00:00:00"', "time without a zone"),
        ('"acknowledged_at": "0001-01-01T00:00:00Z"', "is before 1990"),
        ('"source": 1', "expected a text, found 1"),
    ],
)
def test_a_bad_value_in_json_is_named_too(folder: Write, value: str, reason: str) -> None:
    path = folder({"incidents.jsonl": f'{{"id": "1"}}\n{{"id": "2", {value}}}\n'})

    (bad,) = mistakes(path)
    assert (bad.line, bad.column) == (2, value.split('"')[1])
    assert reason in bad.reason


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"id": ', "this is not JSON"),
        ('["id"]', "expected an object"),
        ('{"id": "\\ud800"}', "surrogate"),
        ('{"id": "a\\u0000b"}', "NUL"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_a_line_that_is_no_record_is_named(folder: Write, line: str, reason: str) -> None:
    path = folder({"incidents.jsonl": f'{{"id": "1"}}\n{line}\n'})

    (bad,) = mistakes(path)
    assert (bad.file, bad.line) == ("incidents.jsonl", 2)
    assert reason in bad.reason


def test_all_mistakes_come_at_once(folder: Write) -> None:
    path = folder(
        {
            "commits.csv": f"sha,repository,is_bot\nx,r,maybe\n{A},r,\n{B},,\n",
            "runs.csv": "id,repository,outcome,attempt\n1,r,ok,one\n",
        }
    )

    assert places(path) == [
        ("commits.csv", 2, "sha"),
        ("commits.csv", 2, "is_bot"),
        ("commits.csv", 4, "repository"),
        ("runs.csv", 2, "attempt"),
    ]


# --- damaged files ------------------------------------------------------------------------------


def test_a_file_cut_short_inside_quotes_is_named_by_the_line_the_row_begins_on(
    folder: Write,
) -> None:
    path = folder({"pull_requests.csv": 'id,repository,title\n1,r,x\n2,r,"a\nb\nc'})

    (bad,) = mistakes(path)
    assert bad.line == 3
    assert "ends inside quotes" in bad.reason


@pytest.mark.parametrize("row", ["1,r", "1,r,ok,more,and more"])
def test_a_row_of_another_width_is_named(folder: Write, row: str) -> None:
    path = folder({"runs.csv": f"id,repository,outcome,name\n0,r,ok,\n{row}\n"})

    (bad,) = mistakes(path)
    assert (bad.line, bad.text) == (3, row)
    assert "cells where the header has 4" in bad.reason


def test_another_encoding_is_named_by_its_line(folder: Write) -> None:
    path = folder({"repositories.csv": "id,name\n1,r\n2,café\n3,q\n".encode("latin-1")})

    (bad,) = mistakes(path)
    assert (bad.file, bad.line) == ("repositories.csv", 3)
    assert "not UTF-8 (byte 0xe9 after 5 bytes of the line)" in bad.reason


def test_another_encoding_inside_a_cell_of_several_lines_spoils_its_row(folder: Write) -> None:
    text = 'id,repository,title\n1,r,"a\nb\xe9\nc"\n2,r,x\n'
    path = folder({"pull_requests.csv": text.encode("latin-1")})

    assert places(path) == [("pull_requests.csv", 3, "")]


def test_a_nul_byte_is_named_by_its_line(folder: Write) -> None:
    path = folder({"repositories.csv": b"id,name\n1,r\n2,\0\n"})

    (bad,) = mistakes(path)
    assert (bad.line, "NUL" in bad.reason) == (3, True)


def test_missing_columns_are_listed_for_every_file(folder: Write) -> None:
    path = folder({"commits.csv": "Sha\n", "deployments.csv": "id,status\n", "runs.csv": ""})

    assert [str(row) for row in mistakes(path)] == [
        "commits.csv:1: required columns are missing: sha, repository",
        "deployments.csv:1: required columns are missing: environment",
        "runs.csv:1: the file is empty; the first line names id, repository, outcome, …",
    ]


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda text: text.encode("utf-16"), "this is UTF-16, not UTF-8"),
        (lambda text: text.encode("utf-16-le"), "this is UTF-16, not UTF-8"),
        (lambda text: text.encode("utf-16-be"), "this is UTF-16, not UTF-8"),
        (lambda text: text.replace("\n", "\r").encode(), "its lines end in CR alone"),
        (lambda text: text.replace(",", ";").encode(), "its columns are separated by ';'"),
        (lambda text: text.replace(",", "\t").encode(), "its columns are separated by tabs"),
        (lambda _: b"", "the file is empty; the first line names id, repository, outcome"),
        (lambda _: b"\r\n", "the file is empty; the first line names id, repository, outcome"),
    ],
)
def test_files_as_spreadsheets_save_them_are_told_apart(
    folder: Write, spoil: Callable[[str], bytes], why: str
) -> None:
    path = folder({"runs.csv": spoil("id,repository,outcome\n1,r,ok\n")})

    with pytest.raises(BadRows) as caught:
        list(read(path))

    (bad,) = caught.value.rows
    assert (bad.line, bad.column) == (1, "")
    assert bad.reason.startswith(why)
    assert str(caught.value).endswith("1 bad row; nothing was saved. Mend it.")


def test_a_column_named_twice_is_refused(folder: Write) -> None:
    path = folder({"repositories.csv": "id,name,name\n1,r,q\n"})

    assert "named twice: name" in mistakes(path)[0].reason


def test_a_folder_without_files_says_what_is_expected(tmp_path: Path) -> None:
    with pytest.raises(FixInput, match="holds nothing to import; files are named repositories"):
        list(read(tmp_path))


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FixInput, match=r"there is no file or folder .*nowhere"):
        list(read(tmp_path / "nowhere"))


def test_a_file_of_another_name_is_refused_with_the_nearest(folder: Write) -> None:
    path = folder({"deployment.csv": ""})

    with pytest.raises(FixInput, match="did you mean deployments"):
        list(read(path / "deployment.csv"))


# --- what only the whole file shows -------------------------------------------------------------


def test_a_key_given_twice_differently_names_both_lines(folder: Write) -> None:
    path = folder({"repositories.csv": "id,name\n1,r\n2,q\n1,other\n"})

    (bad,) = mistakes(path)
    assert (bad.line, bad.column, bad.text) == (4, "id", "1,other")
    assert bad.reason == "'1' was given before, on line 2, differently"


@pytest.mark.parametrize("again", ["1,r,true", "1,r,TRUE", "1,r,1"])
def test_a_key_given_twice_with_the_same_meaning_is_harmless(folder: Write, again: str) -> None:
    rows = f"1,r,true,failed\n{again},failed\n"
    path = folder({"deployments.csv": "id,environment,hotfix,status\n" + rows})

    same = Deployment(id="1", environment="r", hotfix=True, status=Status.FAILED)
    assert records(path) == [same, same]


def test_sources_may_use_the_same_key(folder: Write) -> None:
    path = folder({"repositories.csv": "source,id,name\na,1,r\nb,1,q\n"})

    assert len(records(path)) == 2


@pytest.mark.parametrize(
    ("edges", "named"),
    [
        ({"1": "1"}, {"1"}),  # its own parent
        ({"1": "2", "2": "1"}, {"1", "2"}),
        ({"5": "1", "1": "2", "2": "3 9", "3": "1", "9": ""}, {"1", "2", "3"}),
        ({"1": "2", "2": "1", "3": "4", "4": "3"}, {"1", "2", "3", "4"}),  # two of them
    ],
)
def test_a_cycle_of_parents_is_named_by_a_commit_on_it(
    folder: Write, edges: dict[str, str], named: set[str]
) -> None:
    path = folder({"commits.csv": "sha,repository,parents\n" + commit_rows(edges)})

    bad = mistakes(path)
    assert all(row.column == "parents" and "its own ancestor" in row.reason for row in bad)
    assert {row.reason.split()[1][-1] for row in bad} <= named
    assert len(bad) == len(named) // 2 or len(bad) == 1


def commit_rows(edges: dict[str, str]) -> str:
    return "".join(
        f"{child:0>40},r,{' '.join(f'{parent:0>40}' for parent in parents.split())}\n"
        for child, parents in edges.items()
    )


@pytest.mark.parametrize("order", ["12345", "54321", "31524"])
def test_histories_in_any_order_have_no_cycle(folder: Write, order: str) -> None:
    parents = {"1": "", "2": "1", "3": "1 8", "4": "2 3", "5": "4 3"}
    rows = commit_rows({number: parents[number] for number in order})
    path = folder({"commits.csv": "sha,repository,parents\n" + rows})

    assert len(records(path)) == 5


def test_a_long_history_out_of_order_is_walked_without_recursion(folder: Write) -> None:
    numbers = [*range(1, 5_000, 2), *range(2, 5_000, 2)]
    rows = commit_rows({f"{n}": f"{n - 1}" for n in numbers})
    path = folder({"commits.csv": "sha,repository,parents\n" + rows})

    assert len(records(path)) == 4_999


# --- leaving bad rows out -----------------------------------------------------------------------


def test_bad_rows_can_be_left_out_and_are_written_with_their_reasons(folder: Write) -> None:
    path = folder(
        {
            "commits.csv": "sha,repository,parents\n" + commit_rows({"1": "2", "2": "1", "3": "x"}),
            "repositories.csv": 'id,name\n1,r\n1,"q,\n"\n2,s\n3,"cut short\n',
        }
    )
    told: list[str] = []
    rejected = path / "out" / "rejected.csv"
    rejected.parent.mkdir()

    kept = records(path, rejected=rejected, warn=told.append)
    assert kept == [
        Repository(id="1", name="r"),
        Repository(id="2", name="s"),
        Commit(sha=f"{1:040}", repository="r", parents=(f"{2:040}",)),
    ]
    assert told == [f"4 mistakes found; the rows were left out, see {rejected}"]
    assert rejected.read_text() == (
        "file,line,column,reason,text\n"
        "repositories.csv,3,id,\"'1' was given before, on line 2, differently\","
        '"1,""q,\n"""\n'
        'repositories.csv,6,,"the file ends inside quotes: it was cut short, or a quote is not '
        'closed","3,""cut short"\n'
        f"commits.csv,3,parents,commit {2:040} of r is its own ancestor: its parents form a "
        f"cycle,"
        f'"{2:040},r,{1:040}"\n'
        'commits.csv,4,parents,"expected a whole commit id (40 or 64 hexadecimal digits), found '
        f'\'{"x":0>40}\'","{3:040},r,{"x":0>40}"\n'
    )


def test_nothing_is_rejected_where_nothing_is_bad(folder: Write) -> None:
    path = folder({"repositories.csv": "id,name\n1,r\n"})

    assert records(path, rejected=path / "rejected.csv") == [Repository(id="1", name="r")]
    assert not (path / "rejected.csv").exists()


def test_no_record_comes_after_a_mistake(folder: Write) -> None:
    path = folder({"repositories.csv": "id,name\n1,r\n2,\n3,s\n"})
    seen: list[Sourced] = []

    with pytest.raises(BadRows, match="1 bad row; nothing was saved"):
        seen.extend(read(path))
    assert [record.key for _, record in seen] == ["1"]


# --- what an import covers ----------------------------------------------------------------------


def coverage(path: Path, **options: object) -> list[Coverage]:
    found = read(path, **options)
    return [record for _, record in found if isinstance(record, Coverage)]


def stretch(scope: str, kind: CoverageKind, start: datetime, end: datetime) -> Coverage:
    return Coverage(source="files", scope=scope, kind=kind, start=start, end=end, from_rows=True)


def at(day: int, hour: int = 0, second: int = 0) -> datetime:
    return datetime(2026, 9, day, hour, 0, second, tzinfo=UTC)


def test_an_import_covers_the_time_from_its_first_to_its_last_row(folder: Write) -> None:
    path = folder(
        {
            "deployments.csv": "id,service,repository,environment,status,started_at,finished_at\n"
            "1,shop,acme/shop,p,failed,2026-09-03T00:00:00Z,2026-09-03T01:00:00Z\n"
            "2,shop,acme/shop,p,failed,2026-09-01T00:00:00Z,\n"  # never finished
            "3,,acme/till,p,failed,,2026-09-02T00:00:00Z\n"  # named by its repository
            "4,,,p,failed,,2026-09-09T00:00:00Z\n",  # belongs nowhere
            "pull_requests.csv": "id,repository,created_at,merged_at\n"
            "1,r,2026-08-01T00:00:00Z,2026-09-05T00:00:00Z\n",
            "incidents.csv": "id,service,detected_at\n"
            "1,shop;till,2026-09-04T00:00:00Z\n2,,2026-09-01T00:00:00Z\n",
        }
    )

    assert coverage(path) == [
        stretch("acme/till", CoverageKind.DEPLOYMENTS, at(2), at(2, 0, 1)),
        stretch("shop", CoverageKind.DEPLOYMENTS, at(1), at(3, 1, 1)),
        stretch("shop", CoverageKind.INCIDENTS, at(4), at(4, 0, 1)),
        stretch("till", CoverageKind.INCIDENTS, at(4), at(4, 0, 1)),
        stretch("r", CoverageKind.PULL_REQUESTS, at(5), at(5, 0, 1)),
    ]


def test_incidents_do_not_end_with_the_last_of_a_service(folder: Write) -> None:
    """Else its deployments would count up to a failure, and no further."""
    path = folder(
        {
            "incidents.csv": "id,service,detected_at\n1,shop,2026-09-02T00:00:00Z\n"
            "2,till,2026-09-01T00:00:00Z\n3,till,2026-09-04T00:00:00Z\n"
            "4,shop,2026-09-03T00:00:00Z\n",
        }
    )

    assert coverage(path) == [
        stretch("shop", CoverageKind.INCIDENTS, at(1), at(4, 0, 1)),
        stretch("till", CoverageKind.INCIDENTS, at(1), at(4, 0, 1)),
    ]


def test_a_file_of_coverage_is_taken_at_its_word(folder: Write) -> None:
    path = folder(
        {
            "commits.csv": f"sha,repository,committed_at\n{A},r,2026-09-01T00:00:00Z\n",
            "coverage.csv": "scope,kind,start,end\n"
            "*,runs,2026-09-01T00:00:00Z,2026-09-02T00:00:00Z\n",
        }
    )

    declared = replace(stretch("*", CoverageKind.RUNS, at(1), at(2)), from_rows=False)
    assert coverage(path) == [declared]


def test_an_import_can_be_told_what_it_covers(folder: Write) -> None:
    path = folder({"incidents.csv": "id\n", "runs.csv": "source,id,repository,outcome\nci,1,r,x\n"})
    dates = (date(2026, 9, 1), date(2026, 9, 8))

    found = coverage(path, covers=dates, zone="Europe/Dublin")
    assert {(c.source, c.kind) for c in found} == {
        ("ci", CoverageKind.RUNS),
        ("files", CoverageKind.INCIDENTS),  # nothing happened is something to know
        ("files", CoverageKind.RUNS),
    }
    assert {(c.scope, c.start, c.end) for c in found} == {
        ("*", datetime(2026, 8, 31, 23, tzinfo=UTC), datetime(2026, 9, 7, 23, tzinfo=UTC))
    }


# --- bounds -------------------------------------------------------------------------------------


def test_any_number_of_columns_is_read_in_proportion(tmp_path: Path) -> None:
    extra = [f"column-{number}" for number in range(100_000)]
    (tmp_path / "repositories.csv").write_text(
        f"id,name,{','.join(extra)},{extra[0]}\n", encoding="utf-8"
    )
    told: list[str] = []

    with pytest.raises(BadRows, match="named twice: column-0\n") as error:
        list(read(tmp_path, warn=told.append))

    assert len(error.value.rows) == 1
    assert len(told) == 21
    assert told[-1] == "repositories.csv: further columns are unknown, and not named here"


def test_names_in_json_that_nobody_knows_are_told_a_few_times(tmp_path: Path) -> None:
    rows = [json.dumps({"id": str(n), "name": "a", f"nonsense-{n}": n}) for n in range(5_000)]
    (tmp_path / "repositories.jsonl").write_text("\n".join(rows), encoding="utf-8")
    told: list[str] = []

    assert len(list(read(tmp_path, warn=told.append))) == 5_000
    assert len(told) == 21


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".csv", ".jsonl"])
def test_a_line_of_many_megabytes_is_refused_unread(tmp_path: Path, ending: str) -> None:
    good = {".csv": "1,a\n", ".jsonl": '{"id": "1", "name": "a"}\n'}[ending]
    with (tmp_path / f"repositories{ending}").open("w", encoding="utf-8") as file:
        file.write("id,name\n" if ending == ".csv" else "\n")
        file.write(good)
        file.writelines(["x" * 2**20] * 100)
        file.write("\n" + good.replace("1", "2"))

    tracemalloc.start()
    with pytest.raises(BadRows) as error:
        list(read(tmp_path))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    (row,) = error.value.rows
    assert row.line == 3
    assert row.reason == "a line of more than 64 MB: probably line ends are missing"
    assert len(row.text) <= 100
    assert peak < 2.5 * 2**26


def test_a_long_cell_is_not_quoted_whole(tmp_path: Path) -> None:
    (tmp_path / "deployments.csv").write_text(
        f"id,environment,status,started_at\n1,prod,{'x' * 100_000},\n", encoding="utf-8"
    )

    with pytest.raises(BadRows, match=r"deployments\.csv:2: column status: found 'xxx") as error:
        list(read(tmp_path))

    assert max(map(len, str(error.value).splitlines())) < 500
