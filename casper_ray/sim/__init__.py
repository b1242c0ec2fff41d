"""Worlds and their replay: what happens, when it is told, and how it lands."""
