"""How Sphinx builds the documentation: `make docs` (warnings are errors, nothing is fetched)."""

from importlib.metadata import version as installed

project = "pytest-moa"
author = "The pytest-moa maintainers"
copyright = author
release = version = installed("pytest-moa")

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
nitpicky = True
smartquotes = False  # two dashes begin an option

myst_enable_extensions = ["attrs_inline"]
myst_heading_anchors = 4
suppress_warnings = ["misc.highlighting_failure"]  # samples with placeholders are no faults

html_theme = "furo"
html_title = "pytest-moa"
html_copy_source = False
html_extra_path = ["review-1.schema.json"]
