"""The record: a transparency log whose entries nobody can alter unseen.

Values and sums only: what is stored, and when, is decided above. Imports nothing of ours
but the errors.
"""
