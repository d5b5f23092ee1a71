"""Skykeep keeps a no-drone zone: it watches, identifies, warns and records."""

__version__ = "0.1.0"
