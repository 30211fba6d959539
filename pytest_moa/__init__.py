"""Tests suggested by a committee, and all that executes code: sandbox, search, mutants, proof.

PYTEST_DONT_REWRITE: warm processes import it before pytest could.
"""
