"""What people write down: vpemetrics.toml, the environment, where secrets and the store are."""
