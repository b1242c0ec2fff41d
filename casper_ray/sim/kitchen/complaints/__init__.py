"""Complaints of the kitchen's customers, and the right answer to each."""
