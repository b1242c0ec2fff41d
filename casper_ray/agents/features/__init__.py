"""What was usual of an account, as of a case: one implementation for one case and for many."""
