"""A GitHub on loopback: GraphQL and REST with limits and faults, over a world in memory.

world        what there is, and what people and machines do there; of `things`
from_records and from_mirror make a world of records or of a real history
server       serves it, counts requests and points; by `tokens` and `limits`
faults       what goes wrong on the way
language     reads GraphQL, `query` checks it, `points` prices it, `execute` answers it
fields       what GraphQL may ask for; `lists`, `paging`, `walks` and `files` behind it
rest         what the REST API answers, in `shapes`
"""
