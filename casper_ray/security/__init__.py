"""Tokens instead of personal data, and the vault that can give some of it back.

keys     keys, key_files, key_source     versions of secrets, where they are kept, how workers get them
texts    domains, tokens, vault          what is replaced, by what, and what can be reversed
"""
