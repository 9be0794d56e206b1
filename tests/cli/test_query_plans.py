"""Reading commands find rows by an index: no statement of theirs reads a table of facts whole.

SQLite plans without statistics, so the plan is the same however much there is. PostgreSQL, to
which whole tables are the cheapest where they are small, is asked for the plan without them.
"""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from commandline import invoke
from sample import files
from sqlalchemy import Connection, Engine, event

from vpemetrics.store import Store

READING: Final = (
    "report",  # with what is new
    "report",
    "report --json --quarter 2026-Q2",
    "report --service search",
    "report --output page.html",
    "status",
    "explain cfr",
    "explain lead_time",
    "explain deployment_frequency",
    "explain rework",
    "explain recovery",
    "explain search/132",
    "explain INC-2-1",
    "explain example/search#82",
    "explain #82",
    "explain 0123abc",
    "explain nobody-knows-it",
    "triage list",
    "triage list --all",
    "chart deployments --output chart.svg",
    "chart lead_time --output chart.svg",
    "chart stages --output chart.svg",
    "chart failures_and_rework --output chart.svg",
    "chart between_failures --output chart.svg",
    "chart services --output chart.svg",
)
MANY: Final = {"commit_chunks", "changes", "deployments", "runs", "derived"}
"""The tables that grow with every commit, pull request, deployment and run."""

ALLOWED: Final = {
    r"SELECT count\(\*\)[^()]* FROM \w+$": "status counts every record there is",
    r"SELECT (\S+, )?coalesce\(sum\(commit_chunks.count\)": "so it does, of thousands in a row",
    r"count\(\*\).* GROUP BY \w+\.source_id$": "status counts every record of each source",
    r"SELECT DISTINCT service_id, repository_id, environment_id, COALESCE\(\w+, 0\) AS by_name "
    r"FROM deployments$": "the names in deployments, asked for when something is new",
    r"FROM deployments WHERE chosen_by_name = 1": "versions are judged beside each other",
    r"FROM deployments WHERE commit_sha IS NOT NULL AND \(light_tag": (
        "the tagged commits, asked for when something is new"
    ),
    r"WHERE changes.number = \S+ ORDER BY": "a number alone may be of any repository",
    r"LIKE .* LIMIT": "names like one that nobody knows",
    r"SELECT id, count, shas FROM commit_chunks ORDER BY id$": "a commit is found among all shas",
    r"SELECT (\w+\.\w+) FROM \w+ WHERE \1 IS NOT NULL$": "a record may name a sha of no commit",
}
"""Statements that may read a table whole, and why."""

NEWS: Final = {
    "commits": "sha,repository,parents\n" + 40 * "a" + ",example/search,\n",
    "pull_requests": "id,repository\nexample/search#9999,example/search\n",
    "deployments": "id,environment,status,service,finished_at\n"
    "search/9999,production,succeeded,search,2026-09-06T12:00:00Z\n",
    "incidents": "id,service,detected_at\nINC-9999,search,2026-09-06T13:00:00Z\n",
}
_TABLE: Final = re.compile(
    r"\b(?:FROM|JOIN|UPDATE)\s+(\w+)(?:\s+(?:AS\s+)?(?!WHERE|JOIN|LEFT|ON|ORDER|GROUP|SET)(\w+))?"
)


class Statement(NamedTuple):
    """What a command asked of the database."""

    command: str
    sql: str
    parameters: Any


@pytest.mark.slow
def test_no_reading_command_reads_a_table_whole(
    folder: Path, location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE", location if "://" in location else str(folder / "store.db"))
    shutil.copy(files() / "vpemetrics.toml", folder)
    run(f"import {files()}")
    run("report")
    for kind, text in NEWS.items():
        (folder / f"{kind}.csv").write_text(text)
    run(f"import {folder}")

    asked = statements()

    assert {"SELECT", "DELETE"} <= {statement.sql.split()[0] for statement in asked}
    with Store.open(os.environ["DATABASE"]) as store, store.view() as connection:
        found = [
            f"{statement.command}: all of {table}: {statement.sql}"
            for statement in asked
            for table in sorted(whole_reads(connection, statement) & MANY)
            if not any(re.search(allowed, statement.sql) for allowed in ALLOWED)
        ]
    assert found == [], "\n".join(found)


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("SELECT key FROM runs r WHERE r.outcome = 'x'", {"runs"}),
        ("SELECT r.key FROM names n JOIN runs r ON r.outcome = n.name WHERE n.id = 1", {"runs"}),
        ("SELECT DISTINCT outcome FROM runs WHERE batch > 1 OR name = 'x'", {"runs"}),
        ("SELECT key FROM runs WHERE batch > 1", set()),
        ("SELECT n.name FROM names n JOIN runs r ON r.repository_id = n.id WHERE r.id = 1", set()),
        ("DELETE FROM runs WHERE outcome = 'x'", {"runs"}),
    ],
)
def test_whole_reads_are_seen(location: str, sql: str, tables: set[str]) -> None:
    with Store.open(location) as store, store.view() as connection:
        assert whole_reads(connection, Statement("", sql, ())) == tables


def run(command: str) -> None:
    result = invoke(*command.split(), "--store", "env:DATABASE")
    assert result.exit_code in (0, 1), (command, result.output)


def statements() -> list[Statement]:
    """Every statement of the reading commands that finds rows, each once."""
    asked: dict[str, Statement] = {}

    def note(_c: object, _k: object, sql: str, parameters: Any, _x: object, many: bool) -> None:
        plain = " ".join(sql.split())
        if plain.split()[0] in ("SELECT", "WITH", "UPDATE", "DELETE"):
            asked.setdefault(sql, Statement(command, plain, parameters[0] if many else parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        for command in READING:
            run(command)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    return list(asked.values())


def whole_reads(connection: Connection, statement: Statement) -> set[str]:
    """The tables that a statement reads from one end to the other, by the database's own plan."""
    server = connection.dialect.name == "postgresql"
    return set((_by_postgresql if server else _by_sqlite)(connection, statement))


def _by_sqlite(connection: Connection, statement: Statement) -> Iterator[str]:
    # https://www.sqlite.org/eqp.html
    tables = {alias or table: table for table, alias in _TABLE.findall(statement.sql)}
    plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement.sql}", statement.parameters)
    for *_, step in plan:
        if scan := re.match(r"SCAN (\w+)", step):
            yield str(tables.get(scan[1], scan[1]))


def _by_postgresql(connection: Connection, statement: Statement) -> Iterator[str]:
    # https://www.postgresql.org/docs/current/runtime-config-query.html#GUC-ENABLE-SEQSCAN
    for way in ("seqscan", "mergejoin", "hashjoin"):
        connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")
    plan = connection.exec_driver_sql(
        f"EXPLAIN (FORMAT JSON) {statement.sql}", statement.parameters
    ).scalar_one()
    nodes = [plan[0]["Plan"]]
    while nodes:
        node = nodes.pop()
        nodes += node.get("Plans", [])
        if "Relation Name" in node and node["Node Type"].endswith("Scan"):
            by_index = "Index Cond" in node or node["Node Type"] == "Bitmap Heap Scan"
            if not by_index:
                yield node["Relation Name"]
