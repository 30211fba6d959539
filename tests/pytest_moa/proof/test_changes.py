from pytest_moa.proof.changes import ChangedFunction, ModuleSource, Package, changed_in, with_entries


def _changed(base: str, head: str) -> list[ChangedFunction]:
    return changed_in("m.py", "m", ModuleSource.of(base), ModuleSource.of(head))


def test_what_cannot_be_observed_is_no_change() -> None:
    base = "def f(x):\n    return x + 1\n"
    head = (
        '"""Words."""\n\ndef f(x: int) -> int:\n    """Add one."""\n    # why\n    return (x\n        + 1)\n'
    )
    assert _changed(base, head) == []


def test_a_changed_function_has_the_lines_that_are_new_at_head() -> None:
    base = "def f(x):\n    a = 1\n    return x + a\n\ndef g():\n    pass\n"
    head = "def f(x):\n    a = 1\n    return x - a\n\ndef g():\n    pass\n"
    (found,) = _changed(base, head)
    assert (found.qualname, found.kind, found.lines, found.public) == ("f", "changed", (3,), True)
    assert "x" not in found.words


def test_a_removed_statement_has_the_line_after_it() -> None:
    base = "def f(x):\n    if x:\n        x = 2\n    return x\n"
    head = "def f(x):\n    return x\n"
    (found,) = _changed(base, head)
    assert found.lines == (2,)


def test_words_are_of_what_changed_or_moved_and_of_the_condition_before_it() -> None:
    base = "def f(x, mode):\n    check(x)\n    if mode == LOUD:\n        shout(x)\n    turn(x)\n"
    (found,) = _changed(base, base.replace("shout(x)", "whisper(x)"))
    assert found.words == ("shout", "whisper", "mode", "LOUD")
    (moved,) = _changed(base, base.replace("    check(x)\n", "") + "    check(x)\n")
    assert moved.words == ("check",)


def test_added_and_removed_functions_are_named_so() -> None:
    kinds = {one.qualname: one.kind for one in _changed("def f(): pass\n", "def g(): pass\n")}
    assert kinds == {"f": "removed", "g": "added"}


def test_functions_that_use_a_changed_constant_are_affected() -> None:
    base = "import re\nSIZE = 3\nDOUBLE = SIZE * 2\ndef f():\n    return DOUBLE\ndef g():\n    return 1\n"
    head = base.replace("SIZE = 3", "SIZE = 4")
    (found,) = _changed(base, head)
    assert (found.qualname, found.kind, found.lines) == ("f", "affected", (3,))


def test_a_class_body_counts_for_the_class() -> None:
    base = "class C:\n    size = 1\n    def f(self):\n        return 1\n"
    (found,) = _changed(base, base.replace("size = 1", "size = 2"))
    assert (found.qualname, found.kind) == ("C", "changed")


def test_private_functions_are_reached_through_their_nearest_public_callers() -> None:
    base = "def _deep(x):\n    return x\n"
    base += "def _middle(x):\n    return _deep(x)\ndef open_(x):\n    return _middle(x)\n"
    head = base.replace("    return x\n", "    return -x\n", 1)
    package = Package({"m": ModuleSource.of(head)})
    (found,) = with_entries(_changed(base, head), package)
    assert not found.public
    assert [(entry.qualname, entry.steps) for entry in found.entries] == [("open_", 2)]


def test_words_of_a_property_lead_to_what_it_depends_on() -> None:
    base = (
        "class Schema:\n    @property\n    def kind(self):\n        return Ordered if self.ordered else set\n"
    )
    base += "    def f(self, x):\n        return self.kind(x)\n"
    head = base.replace("self.kind(x)", "self.kind() | x")
    (found,) = with_entries(_changed(base, head), Package({"m": ModuleSource.of(head)}))
    assert found.words == ("kind", "Ordered", "ordered")


def test_parts_of_long_names_are_words_where_users_write_them() -> None:
    base = "def f(kw_only):\n    hook = '__my_pre_init__'\n    pre_init_kw_only_args = 1\n"
    head = base.replace("= 1", "= 2")
    (found,) = with_entries(_changed(base, head), Package({"m": ModuleSource.of(head)}))
    assert found.words == ("pre_init_kw_only_args", "kw_only", "__my_pre_init__")


def test_what_a_package_exports_from_a_private_module_is_public() -> None:
    modules = {
        "p": ModuleSource.of("from p._m import f\n"),
        "p._m": ModuleSource.of("def f(): pass\ndef g(): pass\n"),
    }
    package = Package(modules)
    package._note_exports()
    assert package.is_public("p._m", "f")
    assert not package.is_public("p._m", "g")
