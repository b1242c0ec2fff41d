"""From a request to a decision that is durable."""
