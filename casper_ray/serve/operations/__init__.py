"""What an operator sees: metrics, logs, spans."""
