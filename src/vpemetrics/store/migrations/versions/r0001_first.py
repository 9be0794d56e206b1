"""The first schema."""

from alembic import op

from vpemetrics.store import schema

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make every table."""
    schema.create_tables(op.get_bind())


def downgrade() -> None:
    """Remove every table."""
    schema.drop_tables(op.get_bind())
