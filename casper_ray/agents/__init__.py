"""What decides on cases, and what a decision is made from."""
