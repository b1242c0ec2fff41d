"""`python -m casper_ray.medallion`: a doorway to its commands."""

from __future__ import annotations

from casper_ray.medallion.command import app

if __name__ == "__main__":
    app(prog_name="python -m casper_ray.medallion")
