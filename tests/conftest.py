"""For all tests."""

from __future__ import annotations

from hypothesis import settings

# How long an example takes says what else the machine does, not whether it holds.
settings.register_profile("skykeep", deadline=None)
settings.load_profile("skykeep")
