from __future__ import annotations

import pytest


@pytest.fixture(autouse=True, scope="module")
def _without_other_plugins() -> object:
    """The projects of these tests need no plug-ins, and loading them takes most of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
        yield
