"""A GitHub on loopback: GraphQL and REST with limits and faults, over a world in memory."""
