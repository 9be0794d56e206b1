"""Measures what lineage and metrics cost by themselves, on a store that `measure.py` left behind.

    python benchmarks/measure.py /some/folder
    python benchmarks/compute.py /some/folder

Reading the facts, walking the graph, tracing every service and computing all figures over the
whole history are timed apart, in one process; nothing is saved.
"""

import argparse
import gc
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from vpemetrics.config.load import load
from vpemetrics.lineage.trace import ServiceFacts, trace
from vpemetrics.metrics.evaluate import evaluate, windows
from vpemetrics.store import Store
from vpemetrics.store.history import Facts
from vpemetrics.usecases.report_context import ReportContext
from vpemetrics.usecases.trace_services import service_facts
from vpemetrics.window import Window, date_of


@contextmanager
def timed(what: str, seconds: dict[str, float]) -> Iterator[None]:
    """Add the wall clock of a block to what is known of it."""
    started = time.perf_counter()
    yield
    seconds[what] = seconds.get(what, 0.0) + time.perf_counter() - started


def main() -> None:
    """Print a Markdown table of the steps."""
    parser = argparse.ArgumentParser(description="Measure lineage and metrics by themselves.")
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    rules = load(folder / "vpemetrics.toml", {}).rules()
    seconds: dict[str, float] = {}
    gc.set_threshold(100_000, 20, 100)  # as the command line does
    with Store.open(folder / "measured.db", must_exist=True) as store:
        with store.view() as connection:
            stored = Facts(connection, rules)
            found = service_facts(stored, sorted(stored.deployed_from))
            for facts in reading(found, seconds):
                with timed("walk the graph", seconds):
                    walk(facts)
                with timed("trace: changes, kinds, failures", seconds):
                    trace(facts, rules)
        with timed("all figures over all history, from derived columns", seconds):
            figures(store, ReportContext.load(store, rules))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print("| what | seconds |\n| --- | ---: |")
    for what, spent in seconds.items():
        print(f"| {what} | {spent:.2f} |")
    print(f"\npeak {peak:.0f} MiB")


def reading(found: Iterator[ServiceFacts], seconds: dict[str, float]) -> Iterator[ServiceFacts]:
    """Services one by one, the time it takes to read them noted."""
    while True:
        with timed("read the facts", seconds):
            facts = next(found, None)
        if facts is None:
            return
        yield facts


def walk(facts: ServiceFacts) -> None:
    """The deployment that first reached each commit, and nothing else."""
    graph = facts.history.graph
    in_order = np.argsort(facts.records.finished_at)
    facts.history.first_reached(graph.find(facts.records.commits[in_order]).tolist())


def figures(store: Store, known: ReportContext) -> None:
    """Every figure of a report over the whole history."""
    starts = [a for stretches in known.coverage.values() for a, _ in stretches]
    zone = known.rules.zone
    window = Window(
        start=date_of(min(starts), zone), end=date_of(known.data_as_of, zone), zone=zone
    )
    scope, services = known.scope(None, None)
    facts = known.facts(store, window).of(services, pooled=True)
    evaluate(facts, windows(facts, window, scope), scope, known.parts(scope, services))


if __name__ == "__main__":
    main()
