"""Delta tables on disk: names, commits that happen once, reads at a version or an instant, volumes."""
