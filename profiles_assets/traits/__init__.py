"""Traits: verbs, their compilation to SQL, and the tables they fill."""
