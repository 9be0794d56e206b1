"""A GitHub on loopback to collect from: GraphQL, REST, limits and faults, over a world in memory."""
