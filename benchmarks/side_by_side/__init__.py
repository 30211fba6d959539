"""The product beside what people would pick instead, measured in turn on the same work: `make bench`.

Each comparison is a module here, with `options(parser)` and `measure(options) -> Comparison`; `__main__` runs
one by its name, writes docs/measured/NAME.json with its plots, and its section of docs/benchmarks.md.
"""
