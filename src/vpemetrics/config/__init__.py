"""The settings that people write down: vpemetrics.toml, the environment, secrets, the store."""
