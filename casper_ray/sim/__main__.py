"""`python -m casper_ray.sim`: a doorway to the main job."""

from __future__ import annotations

from casper_ray.main_job.command import app

if __name__ == "__main__":
    app(prog_name="python -m casper_ray.sim")
