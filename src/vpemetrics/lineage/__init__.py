"""The meaning of the facts: who shipped what, what kind of deployment it was, who broke what.

services → kinds → graph → changes → failures, put together by `trace`; pure functions of facts.
Facts come as rows whose identities are small integers, times are microseconds (`MISSING` unknown).
"""
