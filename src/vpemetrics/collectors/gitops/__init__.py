"""A GitOps repository as a source: what its commits want deployed are deployments."""

from vpemetrics.collectors.base import Collector
from vpemetrics.collectors.gitops.check import check
from vpemetrics.collectors.gitops.collect import collect
from vpemetrics.collectors.gitops.options import Options

__all__ = ["GITOPS", "Options", "check", "collect"]

GITOPS = Collector(options=Options, collect=collect, check=check)
