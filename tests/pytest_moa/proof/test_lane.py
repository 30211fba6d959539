from pytest_moa.proof.lane import mentions_private


def test_what_a_test_defines_itself_is_not_private() -> None:
    own = """
class App:
    def __init__(self):
        self._count = 0

    def _next(self):
        self._count += 1
        return self._count

def test_app():
    assert App()._next() == 1
"""
    assert not mentions_private(own)


def test_names_of_the_code_under_test_may_be_private() -> None:
    assert mentions_private("from shop import Basket\n\ndef test_it():\n    assert Basket()._lines == []\n")
    assert mentions_private("from shop import _sum\n")
    assert mentions_private("def test_it(basket):\n    basket._lines = []\n    assert basket._lines == []\n")
