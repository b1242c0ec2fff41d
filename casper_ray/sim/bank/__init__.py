"""A retail bank: customers, cards, transfers and crimes, told by a seed.

`world.BankWorld` is the way in. Rows of numbers come first, text last, and only for the window asked for:

people, estate, parties, books, rates   what stands, by hash or by seed
setting                                 a shard's day before anybody does anything: habits, trips, mood
purchases, cash, transfers, cases       what people mean to do, numbered; crimes and their twins among them
settle, follow_ups, ledger, actions     what of it happens, and what a day leaves to the next one
engine                                  the days of one world, as far as a process has made them
lifecycle, card_feed, wire_feed, cdc_feed, changes   how it is told
truth, dimensions, expectation          what it really is, what it refers to, how much to expect
"""
