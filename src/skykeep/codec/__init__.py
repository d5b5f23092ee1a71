"""Bytes to core values and back, one wire format a file; pure."""
