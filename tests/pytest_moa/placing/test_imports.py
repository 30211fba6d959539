"""Which imports a file lacks, and where they go."""

from __future__ import annotations

import pytest

from pytest_moa.placing.imports import Import, needed, with_imports
from pytest_moa.placing.source_file import NotPlaced, parsed

PRICE = Import("shop.rates", "price")
LINE = "from shop.rates import price\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", LINE),
        ('"""Doc."""\n', '"""Doc."""\n\nfrom shop.rates import price\n'),
        ("import os\nx = 1\n", "import os\nfrom shop.rates import price\nx = 1\n"),
        ("from shop.rates import zone\n", "from shop.rates import price, zone\n"),
        ("from shop.rates import zone, area\n", "from shop.rates import zone, area, price\n"),
        ("from shop.rates import zone  # why\n", "from shop.rates import zone  # why\n" + LINE),
        ("from shop.rates import (\n    zone,\n)\n", "from shop.rates import (\n    zone,\n)\n" + LINE),
        ("from __future__ import annotations\n", "from __future__ import annotations\n\n" + LINE),
        ("#!/bin/sh\n# licence\nx = 1\n", "#!/bin/sh\n# licence\n\n" + LINE + "\nx = 1\n"),
        ("# licence\n\n# about f\ndef f(): ...\n", "# licence\n\n" + LINE + "\n\n# about f\ndef f(): ...\n"),
        ("import os", "import os\n" + LINE),
        ("import os\nx = 1\nimport sys\n", "import os\n" + LINE + "x = 1\nimport sys\n"),
        ("import sys\nx = 1\nsys.path += x\nimport a", "import sys\nx = 1\nsys.path += x\nimport a\n" + LINE),
    ],
)  # fmt: skip
def test_an_import_finds_its_place(text: str, expected: str) -> None:
    assert with_imports(text, [PRICE], "\n", 88) == expected


def test_a_line_that_would_be_too_long_is_not_joined() -> None:
    text = "from shop.rates import " + ", ".join(f"name_{n}" for n in range(8)) + "\n"
    assert with_imports(text, [PRICE], "\n", 88) == text + "from shop.rates import price\n"


@pytest.mark.parametrize(
    "there",
    ["from shop.rates import price", "from shop.rates import zone, price"],
)
def test_what_is_there_is_not_imported_again(there: str) -> None:
    assert needed([PRICE.statement], "price(1)", parsed(there)) == ([], {})


@pytest.mark.parametrize(
    ("statement", "there", "missing", "names"),
    [
        ("import os.path", "import os", ["import os.path"], {}),
        ("import json", "json = 1", ["import json as json_module"], {"json": "json_module"}),
        ("from a import os", "import os", ["from a import os as a_os"], {"os": "a_os"}),
        ("from a import b as os", "import os", ["from a import b as a_os"], {"os": "a_os"}),
        ("from a import unused, os", "", ["from a import os"], {}),
        ("from a import os", "for os in []: pass", ["from a import os as a_os"], {"os": "a_os"}),
        ("from a import os", "def f():\n    os = 1", ["from a import os"], {}),
        ("from __future__ import annotations", "", [], {}),
    ],
)
def test_names_that_are_taken_get_an_alias(
    statement: str, there: str, missing: list[str], names: dict[str, str]
) -> None:
    found, renamed = needed([statement], "os.path(json)", parsed(there))
    assert [one.statement for one in found] == missing
    assert renamed == names


def test_a_dotted_module_under_a_taken_name_is_refused() -> None:
    with pytest.raises(NotPlaced, match=r"import os\.path"):
        needed(["import os.path"], "os.path", parsed("os = 1"))
