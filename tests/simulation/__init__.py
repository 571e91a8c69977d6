"""What a frame of many clinics costs: `python -m tests.simulation` (`make simulate`) prints the table of docs/scale.md.

`frame` makes clinics whose posts are published and edited by a seed, `visits` lets the product's own revisit policy
decide day by day what is requested of them, without a network, and `costs` turns the numbers of requests into bytes,
hours and machines. `hosted` is the other side of the comparison: many sample clinics in one process on loopback, which
`test_simulation` crawls for real.
"""
