"""Which sources there are: their type in the configuration, and where their code is.

Each names a `Collector` (see `base`); nothing is imported until one is used.
"""

COLLECTORS: dict[str, str] = {
    "files": "vpemetrics.collectors.files:FILES",
    "git": "vpemetrics.collectors.git:GIT",
    "github": "vpemetrics.collectors.github:GITHUB",
    "gitops": "vpemetrics.collectors.gitops:GITOPS",
}
