"""Words of messages: kinds of values, and what people may write for keys that have other names."""

WANTED = {
    "string": "text",
    "int": "a whole number",
    "float": "a number",
    "finite": "a number",
    "list": "a list",
    "dict": "a mapping of keys and values",
    "model": "a mapping of keys and values",
    "date": "a date",
}
GIVEN = {int: "a number", float: "a number", list: "a list", dict: "a mapping"}
LIMITS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
LENGTHS = {"min_length": "at least", "max_length": "at most"}
SYNONYMS = {
    "avg": "average", "mean": "average", "last": "latest", "newest": "latest", "minimum": "min",
    "maximum": "max", "total": "sum", "number": "count", "distinct": "unique", "nunique": "unique_count",
    "count_distinct": "unique_count", "mode": "most_frequent", "favourite": "most_frequent",
    "favorite": "most_frequent", "recency": "days_since",
    "filter": "where", "if": "where", "window": "within", "default": "unless_none", "fillna": "unless_none",
    "name": "title", "label": "title", "edges": "at", "bins": "bucket", "source": "from", "has": "exists",
}  # fmt: skip
TYPE_SYNONYMS = {
    "string": "text", "str": "text", "varchar": "text", "int": "integer", "bigint": "integer",
    "bool": "boolean",
    "double": "number", "decimal": "number", "datetime": "time", "timestamp": "time", "array": "list",
    "ndjson": "jsonl", "json": "jsonl", "tsv": "csv",
}  # fmt: skip
