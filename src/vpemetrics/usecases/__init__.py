"""The whole story: save facts, bring lineage up to date, report, explain.

Everything that touches the store goes through here; what decides is in lineage and metrics.
"""
