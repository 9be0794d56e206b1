"""The places that finished reports go to."""
