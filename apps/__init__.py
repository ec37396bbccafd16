"""Thin programs: `python -m apps.train cgan`."""
