"""For all tests."""

from __future__ import annotations

import pytest
from hypothesis import settings

# How long an example takes says what else the machine does, not whether it holds.
settings.register_profile("skykeep", deadline=None)
settings.load_profile("skykeep")

#: One test that plays a night at its own pace: begun last, it would keep one worker for minutes
#: while the others have nothing left.
LONGEST = "test_night.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first; all else stays in its order."""
    items.sort(key=lambda item: item.path.name != LONGEST)
