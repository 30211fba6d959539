"""Reviewers that run no model: each answers with what is new at head, at exact lines (docs/reviewers.md)."""
