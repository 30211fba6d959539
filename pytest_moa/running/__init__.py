"""pytest inside warm processes: existing tests, candidates and mutants, judged in forked children."""
