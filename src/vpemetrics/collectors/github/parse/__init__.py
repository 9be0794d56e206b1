"""What GitHub answers into records, one module a kind of thing; pure, without any network."""
