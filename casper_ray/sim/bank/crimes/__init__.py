"""Crimes and what harmlessly looks like them: one small module per typology, and the deck that deals them.

`all.PATTERNS` holds them in a fixed order; `deck.deal` says which cases a world has and when they begin;
`deck.case_rows` tells one case. `cast.Cast` is what a story is told with.
"""
