"""GitHub as a source: pull requests, deployments, incidents and CI runs."""

from vpemetrics.collectors.base import Collector
from vpemetrics.collectors.github.check import check
from vpemetrics.collectors.github.collect import collect
from vpemetrics.collectors.github.options import Options

__all__ = ["GITHUB", "Options", "check", "collect"]

GITHUB = Collector(options=Options, collect=collect, check=check)
