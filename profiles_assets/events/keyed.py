"""Lists of keys and values, as GA4 exports its parameters, turned into objects whose fields have a path."""

from collections.abc import Mapping

from resources.tables import literal

ITEM = (
    '[{"key": "VARCHAR", "value": {"string_value": "JSON", "int_value": "BIGINT", '
    '"float_value": "DOUBLE", "double_value": "DOUBLE"}}]'
)
VALUE = (
    "coalesce(nullif(p.value.string_value::VARCHAR, 'null'), p.value.int_value::VARCHAR, "
    "p.value.double_value::VARCHAR, p.value.float_value::VARCHAR, 'null')"
)


def unfolded_sql(record: str, lists: Mapping[str, str]) -> str:
    """SQL of a JSON record with an object of each name made from the list at its path; what is no list stays."""
    parts = ", ".join(f"{literal(name)}, {_object_sql(path)}" for name, path in lists.items())
    # a lambda, since the engine computes what is written twice ahead of the TRY that forgives damaged records
    return f"list_transform([{record}], lambda r: json_merge_patch(r, json_object({parts})))[1]"


def _object_sql(path: str) -> str:
    found = f"json_extract(r, {literal('/' + path)})"
    pairs = f"list_filter(json_transform({found}, {literal(ITEM)}), lambda p: p.key IS NOT NULL)"
    fields = f"list_transform({pairs}, lambda p: to_json(p.key)::VARCHAR || ':' || {VALUE})"
    return f"coalesce(('{{' || array_to_string({fields}, ',') || '}}')::JSON, {found})"
