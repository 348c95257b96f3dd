"""Times at which something is to run, as five fields: minute, hour, day of the month, month, day of the week."""

import re

FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 7))
PART = re.compile(r"(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:/([1-9]\d?))?")
EXAMPLE = 'write five fields, such as "30 2 * * *" for half past two every night'


def cron_fault(text: str) -> str:
    """Why a text tells no times; empty where it does."""
    fields = text.split()
    if len(fields) != len(FIELDS):
        return f'"{text}" tells no times; {EXAMPLE}'
    for field, (name, low, high) in zip(fields, FIELDS, strict=True):
        if not all(_fits(part, low, high) for part in field.split(",")):
            return f'"{field}" is no {name}, which goes from {low} to {high}; {EXAMPLE}'
    return ""


def _fits(part: str, low: int, high: int) -> bool:
    match = PART.fullmatch(part)
    if match is None:
        return False
    numbers = [int(number) for number in match.group(1, 2) if number]
    return all(low <= number <= high for number in numbers) and numbers == sorted(numbers)
