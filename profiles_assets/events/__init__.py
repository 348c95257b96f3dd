"""Events: landing files read, validated, de-duplicated and kept as rows of the lake, by load day."""
