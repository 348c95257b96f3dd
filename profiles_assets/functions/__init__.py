"""Profile functions: a person's events through Python, with versions, preview and rebuilds in the background."""
