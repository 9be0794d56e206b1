"""A GitHub on loopback: GraphQL and REST with limits and faults, over a world in memory.

world        what there is, and what people and machines do there; of `things`
from_records and from_mirror make a world of records or of a real history
server       serves it, counts requests and points; by `tokens` and `limits`
faults       what goes wrong on the way
execution    runs GraphQL by graphql-core on the `schema`, priced by `points`
fields       what answers it; `lists`, `paging`, `walks` and `files` behind it
rest         what the REST API answers, in `shapes`
"""
