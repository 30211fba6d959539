from types import ModuleType


def loaded(source: str, path: str = "subject.py") -> ModuleType:
    """A module made of that source, not in `sys.modules`."""
    module = ModuleType("subject")
    module.__file__ = path
    exec(compile(source, path, "exec", dont_inherit=True), vars(module))
    return module
