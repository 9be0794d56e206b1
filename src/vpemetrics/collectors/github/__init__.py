"""GitHub as a source: pull requests, deployments, incidents and CI runs."""
