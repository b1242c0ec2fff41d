"""What customers write, as tables."""
