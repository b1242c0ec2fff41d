"""What a bank does with a replay: recover from a loss, test rules on history, see a crisis before it comes.

`command` is light, so that `--help` answers at once.
"""
