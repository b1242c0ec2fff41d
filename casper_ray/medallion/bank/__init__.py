"""The bank's pipeline: four feeds to transactions of one form, customers with their history, and Gold."""
