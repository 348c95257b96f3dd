"""Where data lives and how it is reached: the lake, its tables, its progress notes."""
