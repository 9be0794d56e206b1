"""A GitOps repository as a source: what its commits want deployed are deployments."""
