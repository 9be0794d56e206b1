"""A git repository as a source: version tags are deployments, merged pull requests changes."""

from vpemetrics.collectors.base import Collector
from vpemetrics.collectors.git.collect import collect, mend
from vpemetrics.collectors.git.options import Options

__all__ = ["GIT", "Options", "collect", "mend"]

GIT = Collector(options=Options, collect=collect)
