"""One module a version, run by alembic in the order of their revisions."""
