"""A git repository as a source: version tags are deployments, merged pull requests changes."""
