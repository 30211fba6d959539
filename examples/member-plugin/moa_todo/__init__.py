"""A reviewer that objects to a TODO that names no ticket."""
