"""What stands in for a model in tests, of casper_ray and of whoever builds on it."""
