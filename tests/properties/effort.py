"""How long the property tests search: PROPERTY_FACTOR=50 tries fifty times as many cases, new ones at each run."""

from __future__ import annotations

import os

from hypothesis import settings

FACTOR = max(1, int(os.environ.get("PROPERTY_FACTOR") or 1))


def examples(count: int) -> settings:
    """Decorator: `count` examples, always the same ones; with a factor, more of them, and random ones."""
    return settings(max_examples=count * FACTOR, derandomize=FACTOR == 1)
