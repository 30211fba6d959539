"""The script that our own processes start with: `python boot.py MODULE` calls the module's `main`.

It makes `pytest_moa` importable, and nothing else: its own folder may hold a checkout whose `tests` or
`examples` would hide those of the user.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

if __name__ == "__main__":  # a process that the user's code spawns imports this file under another name
    package = Path(__file__).resolve().parents[1]
    spec = spec_from_file_location(
        "pytest_moa", package / "__init__.py", submodule_search_locations=[str(package)]
    )
    if spec is None or spec.loader is None:
        sys.exit(f"{package} is not a package")
    module = module_from_spec(spec)
    sys.modules["pytest_moa"] = module
    spec.loader.exec_module(module)

    import_module(sys.argv[1]).main()
