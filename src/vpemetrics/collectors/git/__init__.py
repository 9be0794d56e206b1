"""A git repository as a source: version tags are deployments, merged pull requests changes."""

from vpemetrics.collectors.base import Collector
from vpemetrics.collectors.git.check import check
from vpemetrics.collectors.git.collect import Lacking, collect, lacking
from vpemetrics.collectors.git.options import Options

__all__ = ["GIT", "Lacking", "Options", "check", "collect", "lacking"]

GIT = Collector(options=Options, collect=collect, check=check)
