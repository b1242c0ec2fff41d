"""casper_ray: simulate a business, replay its events, keep a Delta lakehouse of them exactly once."""

__version__ = "0.1.0"
