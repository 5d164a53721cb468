"""Real tools for the tests of sheets: a missing one fails where CI is set, and skips elsewhere."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable

import pytest


@pytest.fixture
def tool() -> Callable[[str], str]:
    """The path of a program."""

    def find(name: str) -> str:
        path = shutil.which(name)
        if path is None:
            message = f"{name} is not installed"
            pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
        return path

    return find
