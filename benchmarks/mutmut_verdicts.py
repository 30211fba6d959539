"""Run by mutmut's own Python in a folder where it has run: each mutant's diff and status, a JSON a line.

One process instead of `mutmut show NAME` for each, which takes longer than the mutants did.
"""

import json

from mutmut.__main__ import SourceFileMutationData, status_by_exit_code, walk_mutatable_files
from mutmut.mutation.diff_apply import get_diff_for_mutant

for path in walk_mutatable_files():
    found = SourceFileMutationData(path=path)
    found.load()
    for name, code in found.exit_code_by_key.items():
        told = {"status": status_by_exit_code[code], "diff": get_diff_for_mutant(name, path=path)}
        print(json.dumps(told))
