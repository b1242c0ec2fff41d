"""How real a bank's world looks: figures of what happened, and how well crimes can be told from the rest.

`transactions` is the table that all of it is measured on, `as_of` what was known before each transaction,
`figures` distributions, `separation` single columns and the naive rule, `baseline` a learnt one, `bounds` what is
asked of them. `python -m casper_ray.sim.bank.realism` prints the reference page's figures.
"""
