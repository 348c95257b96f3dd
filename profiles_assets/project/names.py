"""Names that a column of a profile cannot have."""

from profiles_assets.project.sql_words import RESERVED

COLUMNS = ("profile_id", "profile_key", "ids", "first_seen", "last_seen", "identify_traits", "as_of")


def name_problem(name: str) -> tuple[str, str] | None:
    """What is wrong with a name as a column of a profile, and a hint; None when nothing is."""
    if name in COLUMNS:
        return f'"{name}" is a column that every profile has', f'choose another name, such as "my_{name}"'
    if name in RESERVED:
        return (
            f'"{name}" is a word of SQL, so nobody could query it',
            f'choose another name, such as "{name}_value"',
        )
    if "__" in name:
        single = "_".join(part for part in name.split("_") if part)
        return f'"{name}" has two underscores in a row, which is kept for inner use', f'write "{single}"'
    return None
