"""Acme engineering, the made-up organisation of the demo; the same to the byte every time.

acme          twelve services of five teams in eight repositories, and how sixty weeks went
notable       what happens to them beside everyday trouble
titles        what people called their changes and incidents
history       all records of it
settings      its configuration and its service level objectives
files         records into import files

blueprint     how large an organisation is to be; `organisation` makes its records
repository    the life of one repository: `workshop` makes changes, `mainline` holds commits,
              `pipeline` deploys, `trouble` follows; by the `event_queue`, `hours` and `dice`
"""
