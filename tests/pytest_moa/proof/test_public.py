import pytest

from pytest_moa.proof.public import publicly


def test_private_arguments_and_statements_and_what_needs_them_are_left_out() -> None:
    source = "\n".join(
        [
            "styles = dev.styles(colors=dev._has_colors)",
            "width = dev._WIDTH",
            "with shown():",
            "    show(width)",
            "one = dev.Renderer(styles=styles)",
            "assert one._longest == 1",
        ]
    )
    assert publicly(source) == "styles = dev.styles()\none = dev.Renderer(styles=styles)"


@pytest.mark.parametrize("source", ["f(1)", "dev._private()", "_one = 1\nf(_one)"])
def test_what_has_no_private_parts_or_nothing_else_gives_no_other_program(source: str) -> None:
    assert publicly(source) is None
