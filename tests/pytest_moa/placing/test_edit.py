"""Where in a file a test goes, and that nothing else in the file changes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from ruff import find_ruff_bin

from pytest_moa.placing.source_file import NotPlaced
from tests.pytest_moa.placing.trees import PRICE, after, candidate, change, write


def test_a_new_file_has_imports_and_tests_only(tmp_path: Path) -> None:
    raising = candidate(
        """
        def test_a_negative_weight_is_refused():
            with pytest.raises(ValueError, match='weight'):
                price(-1)
        """,
        "import pytest",
        "from shop.rates import price",
    )
    assert after(tmp_path, "tests/test_rates.py", PRICE, raising) == (
        "import pytest\n"
        "from shop.rates import price\n"
        "\n\n"
        "def test_price_of_nothing():\n"
        "    assert price(0) == 0\n"
        "\n\n"
        "def test_a_negative_weight_is_refused():\n"
        '    with pytest.raises(ValueError, match="weight"):\n'
        "        price(-1)\n"
    )


def test_it_goes_behind_the_last_test_of_the_same_target(tmp_path: Path) -> None:
    write(
        tmp_path,
        test_rates="""
        from shop.rates import insure, price


        def test_price():
            assert price(1) == 2
            # and nothing else


        # insurance

        def test_insure():
            assert insure(1)
        """,
    )
    assert after(tmp_path, "test_rates.py") == (
        "from shop.rates import insure, price\n"
        "\n\n"
        "def test_price():\n"
        "    assert price(1) == 2\n"
        "    # and nothing else\n"
        "\n\n"
        "def test_price_of_nothing():\n"
        "    assert price(0) == 0\n"
        "\n\n"
        "# insurance\n"
        "\n"
        "def test_insure():\n"
        "    assert insure(1)\n"
    )


def test_without_one_it_goes_to_the_end_but_before_the_main_block(tmp_path: Path) -> None:
    write(
        tmp_path,
        test_rates="""
        import unittest


        class TestZones(unittest.TestCase):
            def test_zone(self):
                pass


        if __name__ == '__main__':
            unittest.main()
        """,
    )
    assert after(tmp_path, "test_rates.py") == (
        "import unittest\n"
        "\n"
        "from shop.rates import price\n"
        "\n\n"
        "class TestZones(unittest.TestCase):\n"
        "    def test_zone(self):\n"
        "        pass\n"
        "\n\n"
        "def test_price_of_nothing():\n"
        "    assert price(0) == 0\n"
        "\n\n"
        "if __name__ == '__main__':\n"
        "    unittest.main()\n"
    )


@pytest.mark.parametrize("end", ["\n", "", "\n\n\n", "\n# vim: ts=4\n", "\n\n# the end", "; y = 2\n"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_every_byte_of_the_old_file_stays(tmp_path: Path, end: str, newline: str) -> None:
    old = f"from shop.rates import price\n\nx = '''\nkeep  \n\n'''  \ndef test_one( ):\n  price( 1 ){end}"
    (tmp_path / "test_rates.py").write_bytes(old.replace("\n", newline).encode())
    done = change(tmp_path, "test_rates.py")
    text = done.after.decode()
    assert text.count("\n") == text.count(newline)
    added = done.added[PRICE.id].replace("\n", newline)
    head, _, tail = text.partition(added)
    rest = head.rstrip("\r\n") + "|" + tail.strip("\r\n")
    expected = (old.replace("\n", newline)).rstrip("\r\n")
    assert rest.replace("|", "").replace(newline, "") == expected.replace(newline, "")
    assert text.startswith(old.partition("price( 1 )")[0].replace("\n", newline))


def test_a_bom_an_encoding_and_tabs_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "test_rates.py"
    path.write_bytes(
        b"\xef\xbb\xbffrom shop.rates import price\r\n\r\n\r\ndef test_a():\r\n\tassert price(1)\r\n"
    )
    assert change(tmp_path, "test_rates.py").after == (
        path.read_bytes() + b"\r\n\r\ndef test_price_of_nothing():\r\n\tassert price(0) == 0\r\n"
    )
    path.write_bytes("# coding: latin-1\nfrom shop.rates import price\n\nname = 'é'\n".encode("latin-1"))
    assert change(tmp_path, "test_rates.py").after.startswith(path.read_bytes())
    euro = candidate("def test_symbol():\n    assert price(0) != '€'", "from shop.rates import price")
    with pytest.raises(NotPlaced, match=r"iso-8859-1, which has no '€'"):
        change(tmp_path, "test_rates.py", euro)


def test_the_same_test_is_not_written_twice(tmp_path: Path) -> None:
    write(tmp_path, test_rates=PRICE.module_source().replace("test_price_of_nothing", "test_free"))
    done = change(tmp_path, "test_rates.py")
    assert done.present == (PRICE.id,)
    assert done.after == done.before


def test_a_name_that_is_taken_gets_one_that_says_more(tmp_path: Path) -> None:
    write(tmp_path, test_rates="from shop.rates import price\n\n\ndef test_price_of_nothing():\n    pass\n")
    text = after(tmp_path, "test_rates.py")
    assert "def test_price_of_nothing_costs():\n    assert price(0) == 0\n" in text
    nameless = candidate("def test_price_of_nothing():\n    price(1)", "from shop.rates import price")
    assert "def test_price_of_nothing_2():" in after(tmp_path, "test_rates.py", nameless)


def test_fixtures_that_are_there_are_reused_and_others_are_renamed(tmp_path: Path) -> None:
    support = """
        @pytest.fixture
        def parcel():
            return {"weight": 1}
        """
    uses = candidate(
        """
        def test_weight(parcel):
            assert price(parcel["weight"]) == 2
        """,
        "import pytest",
        "from shop.rates import price",
        support=support,
    )
    write(tmp_path, test_rates="import pytest\n\n\n" + support.replace("\n        ", "\n").lstrip("\n"))
    assert after(tmp_path, "test_rates.py", uses).count("def parcel(") == 1

    write(tmp_path, conftest="import pytest\n\n\n@pytest.fixture\ndef parcel():\n    return None\n")
    (tmp_path / "test_rates.py").unlink()
    text = after(tmp_path, "test_rates.py", uses)
    assert "def parcel_for_weight():" in text
    assert 'def test_weight(parcel_for_weight):\n    assert price(parcel_for_weight["weight"]) == 2' in text


def test_a_name_that_means_something_else_is_imported_under_another(tmp_path: Path) -> None:
    write(tmp_path, test_rates="from old.rates import price\n\n\ndef test_old():\n    assert price(1)\n")
    text = after(tmp_path, "test_rates.py")
    assert "from shop.rates import price as rates_price\n" in text
    assert "    assert rates_price(0) == 0\n" in text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            "<<<<<<< HEAD\nx = 1\n=======\nx = 2\n>>>>>>> other\n",
            "test_rates.py:1 has an unresolved merge conflict",
        ),
        ("def broken(:\n    pass\n", "test_rates.py:1 has a syntax error"),
        ("# coding: nonsense\n", "cannot be read: unknown encoding"),
        ("x = '\0'\n", "syntax error|cannot be read"),
    ],
)
def test_files_that_cannot_be_edited_are_refused(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "test_rates.py").write_text(text)
    with pytest.raises(NotPlaced, match=why):
        change(tmp_path, "test_rates.py")


@pytest.mark.parametrize(
    "bad",
    [
        candidate("def test_x():\n    pass\n\n\nimport os\nos.system('true')"),
        candidate("def test_x():\n    pass", "import os; os.getcwd()"),
        candidate("def test_x():\n    pass", support="print('imported')"),
        candidate("def test_x(:\n    pass"),
    ],
)
def test_what_is_no_test_is_not_written(tmp_path: Path, bad: object) -> None:
    with pytest.raises(NotPlaced, match="test_x"):
        change(tmp_path, "test_rates.py", bad)  # type: ignore[arg-type]


def test_accepted_files_pass_the_linter(tmp_path: Path) -> None:
    write(
        tmp_path,
        src__shop__rates="def price(weight, *, zone=''):\n    return weight * 2\n",
        tests__test_rates="""
        from __future__ import annotations

        import os

        from shop.rates import price


        def test_price():
            assert price(1) == 2, os.name
        """,
    )
    (tmp_path / "pyproject.toml").write_text("[tool.ruff]\nline-length = 79\nsrc = ['src']\n")
    long = candidate(
        """
        @pytest.mark.parametrize("weight, cents", [(1, 2), (2, 4), (3, 6), (4, 8), (5, 10), (6, 12), (7, 14)])
        def test_prices(weight, cents):
            assert price(weight, zone="a zone with a long name that fits it") == json.loads(str(cents))
        """,
        "import json",
        "import os.path",
        "import pytest",
        "from shop.rates import price",
    )
    text = after(tmp_path, "tests/test_rates.py", long, PRICE)
    (tmp_path / "tests/test_rates.py").write_text(text)
    command = [str(find_ruff_bin()), "check", "--extend-select", "I,E,W", "tests/test_rates.py"]
    checked = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
    assert "import json\nimport os\n\nimport pytest\n\nfrom shop.rates import price\n" in text
