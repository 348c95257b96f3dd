"""The `profiles` command."""
