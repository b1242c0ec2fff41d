"""Tables that are declared, and the one runner that keeps them up to date, batch by batch."""
