"""vpemetrics: the five DORA metrics, exact and explainable, from a command line."""

__version__ = "0.1.0.dev0"
