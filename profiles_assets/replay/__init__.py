"""Replay of a project's own data in two ways that must come to the same."""
