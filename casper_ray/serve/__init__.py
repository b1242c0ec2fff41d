"""Agents over HTTP: one Ray Serve application."""
