"""How candidates become suggestions: docs/design/test-suggestions.md."""
