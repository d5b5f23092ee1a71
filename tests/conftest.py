"""For all tests."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

# How long an example takes says what else the machine does, not whether it holds.
# Half the usual examples each time, and more in the long runs: chance looks elsewhere every day.
settings.register_profile("skykeep", deadline=None, max_examples=50)
settings.register_profile("thorough", deadline=None, max_examples=400)
settings.load_profile(os.environ.get("SKYKEEP_EXAMPLES", "skykeep"))

#: One test that plays a night at its own pace: begun last, it would keep one worker for minutes
#: while the others have nothing left.
LONGEST = "test_night.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first; all else stays in its order."""
    items.sort(key=lambda item: item.path.name != LONGEST)
