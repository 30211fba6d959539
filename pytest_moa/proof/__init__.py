"""Proof: what behaves differently between two versions of a project, shown by running both.

Nothing is imported here: a review without proof pays for none of it.
"""
