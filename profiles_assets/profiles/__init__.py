"""The last stage: one row per person, its view with predictions, and its publication."""
