"""The meaning of the facts: who shipped what, what kind of deployment it was, who broke what.

commits, changes → graph → ownership → belonging → shipping are columns, a number of an array for
each commit or pull request; services → kinds → failures are rows; `trace` puts them together.
All are pure functions of facts whose identities are integers; times are microseconds.
"""
