"""Faults between the world and the volume: what happened stays true, what is told of it is not."""
