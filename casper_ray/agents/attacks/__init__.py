"""Attacks on agents: what people write to make a model do what it may not, and what comes of it."""
