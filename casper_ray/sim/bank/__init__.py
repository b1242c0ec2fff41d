"""A retail bank: customers, cards, transfers and crimes, told by a seed.

`world.BankWorld` is the way in. Below it: `estate` and `population` are what stands, `intents` is what people
mean to do on a day (drawn without looking at any other day), `settlement` is what of it happens, `ledger`
carries what a day leaves to the next, and `card_feed`, `wire_feed` and `cdc_feed` tell it.
"""
