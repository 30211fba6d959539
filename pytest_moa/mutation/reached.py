"""What a control mutant raises."""

from __future__ import annotations


class ControlReached(BaseException):  # no Exception: code under test that catches those must not hide it
    """A function was called whose body a control mutant has replaced."""
