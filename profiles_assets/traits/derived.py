"""Traits made from other traits, and where each trait is computed.

A trait is *stored* when its value stays the same until the person changes: verbs over events, and what is
made from stored traits of the same section. The rest (days since, ages, places in a distribution, audiences,
anything over a prediction or over another section) is computed by whoever reads: the published view, or the
select that feeds a model.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import sqlglot
from sqlglot import exp

from profiles_assets.events.times import day_sql
from profiles_assets.project.audiences import Audience
from profiles_assets.project.expressions import wrap
from profiles_assets.project.formulas import parse_formula
from profiles_assets.project.funnels import funnel_columns
from profiles_assets.project.graph import ordered_traits
from profiles_assets.project.project import Fact, Project
from profiles_assets.project.traits import TRAIT_VERBS, Trait
from profiles_assets.project.value_types import Kind, column_kinds
from profiles_assets.traits.columns import Value, finite
from profiles_assets.traits.conditions import condition_sql
from profiles_assets.traits.metrics import DISTRIBUTIONS
from profiles_assets.traits.verbs import finished, settled
from resources.tables import literal, quote

ANCHOR = "__since"
INTEGER = exp.DataType.build("INTEGER", dialect="duckdb")
KIND_TYPES: dict[Kind | None, str] = {
    "number": "DOUBLE",
    "text": "VARCHAR",
    "boolean": "BOOLEAN",
    "time": "TIMESTAMP",
    "list": "VARCHAR[]",
    "map": "MAP(VARCHAR, DOUBLE)",
    None: "",
}


@dataclass(frozen=True)
class Reading:
    """What traits that are computed when reading need; the day is a SQL date."""

    as_of: str
    kinds: Mapping[str, Kind | None] = field(default_factory=dict)
    distributions: str = DISTRIBUTIONS
    timezone: str = "UTC"

    @classmethod
    def of(cls, project: Project, entity: str, as_of: str, distributions: str = DISTRIBUTIONS) -> "Reading":
        """Reading of the traits of an entity."""
        return cls(as_of, column_kinds(project, entity), distributions, project.timezone)


def stored_tables(project: Project, entity: str) -> dict[str, str]:
    """Tables with the stored traits of an entity, one row per person, by the step that fills each."""
    found = {f"entity_vars/{name}": f"entity_vars.{quote(name)}" for name in project.sections_of(entity)}
    found |= {f"funnels/{name}": f"funnels.{quote(name)}" for name in project.funnels_of(entity)}
    return found | {f"functions/{n}": function_table(n) for n in project.function_traits_of(entity)}


def function_table(function: str) -> str:
    """Table with the typed traits of a profile function, one row per person."""
    return f"function_traits.{quote(function)}"


def stored_traits(project: Project, section: str) -> list[str]:
    """Names of the traits that the table of a section keeps, inputs before what is made from them."""
    traits = project.sections[section].traits
    kept: dict[str, None] = {}
    for name in ordered_traits(project, project.sections[section].entity):
        if name not in traits or traits[name].function:
            continue
        if traits[name].verb not in TRAIT_VERBS or _all_kept(traits, name, kept):
            kept[name] = None
    return list(kept)


def _all_kept(traits: Mapping[str, Trait], name: str, kept: Mapping[str, None]) -> bool:
    if traits[name].place_in:
        return False
    return all(i in kept and traits[i].verb != "days_since" for i in traits[name].inputs)


def read_traits(project: Project, entity: str) -> list[str]:
    """Names of the traits and audiences computed when reading, inputs before what is made from them."""
    kept = {n for section in project.sections_of(entity) for n in stored_traits(project, section)}
    kept |= {n for traits in project.function_traits_of(entity).values() for n in traits}
    facts = project.facts_of(entity)
    return [n for n in ordered_traits(project, entity) if n not in kept or facts[n].verb == "days_since"]


def readable_columns(project: Project, entity: str) -> list[str]:
    """Names of all columns known before predictions: traits, audiences and columns of funnels."""
    funnels = [column for name in project.funnels_of(entity) for column in funnel_columns(name)]
    return [*project.facts_of(entity), *funnels]


def stored_column(name: str, trait: Fact) -> str:
    """Column in which a section keeps a trait; what moves with as_of is kept as its anchor day."""
    return name + ANCHOR if trait.verb == "days_since" else name


def add_traits(select: str, names: Iterable[str], facts: Mapping[str, Fact], reading: Reading) -> str:
    """Wrap a select so that it also gives the traits and audiences that are made from its columns.

    Those that do not build on each other are added together, so that many traits stay one shallow statement.
    """
    for layer in _layers(list(names), facts):
        anchors = [quote(n + ANCHOR) for n in layer if facts[n].verb == "days_since"]
        without = f" EXCLUDE ({', '.join(anchors)})" if anchors else ""
        values = ", ".join(f"{read_sql(n, facts[n], reading)} AS {quote(n)}" for n in layer)
        select = f"SELECT *{without}, {values} FROM ({select})"
    return select


def _layers(names: list[str], facts: Mapping[str, Fact]) -> list[list[str]]:
    depth: dict[str, int] = {}
    for name in names:
        depth[name] = 1 + max((depth.get(i, 0) for i in facts[name].inputs), default=0)
    return [[n for n in names if depth[n] == level] for level in range(1, max(depth.values(), default=0) + 1)]


def read_sql(name: str, fact: Fact, reading: Reading) -> str:
    """Expression of a trait or audience over the columns it is made from."""
    if isinstance(fact, Audience):
        return condition_sql(fact.conditions, lambda f: Value(quote(f), KIND_TYPES[reading.kinds.get(f)]))
    if fact.verb == "days_since":
        return settled(fact, f"date_diff('day', {quote(name + ANCHOR)}, {reading.as_of})")
    if fact.place_in:
        return finished(fact, place_sql(fact, reading.distributions))
    return finished(fact, derived_sql(fact, reading.timezone))


def derived_sql(trait: Trait, timezone: str = "UTC") -> str:
    """Value of a trait over the columns of the traits it is made from."""
    first, *others = (quote(i) for i in trait.inputs)
    match trait.verb:
        case "ratio":
            return finite(f"({number_sql(first)} / nullif({number_sql(others[0])}, 0))", "DOUBLE")
        case "days_between":
            return f"date_diff('day', {local_day_sql(first, timezone)}, {local_day_sql(others[0], timezone)})"
        case "calculate":
            return finite(formula_sql(str(trait.calculate)), "DOUBLE")
        case _:
            edges = [float(edge) for edge in trait.at or []]
            shown = [f"{edge}" for edge in edges]
            return bucket_sql(number_sql(first), shown, trait.labels or default_labels(edges))


def number_sql(value: str) -> str:
    """A value as a number; none when it is none."""
    return f"try_cast({value} AS DOUBLE)"


def local_day_sql(value: str, timezone: str) -> str:
    """Day of a value in the project's time zone: of a UTC TIMESTAMP, a DATE or a text that tells one."""
    if timezone == "UTC":
        return f"try_cast({value} AS DATE)"
    local = day_sql(f"try_cast({value} AS TIMESTAMP)", timezone)
    return f"CASE WHEN typeof({value}) = 'TIMESTAMP' THEN {local} ELSE try_cast({value} AS DATE) END"


def formula_sql(formula: str) -> str:
    """Arithmetic over columns of traits; nothing where something is divided by nothing."""
    tree = parse_formula(formula)
    assert tree is not None
    root = exp.Paren(this=tree.copy())
    for node in reversed(list(root.walk())):
        if isinstance(node, exp.Column):
            node.replace(sqlglot.parse_one(number_sql(quote(node.name)), dialect="duckdb"))
        elif isinstance(node, exp.Div):
            wrap(node.expression, exp.Nullif(expression=exp.Literal.number(0)))
        elif isinstance(node, exp.Round) and (digits := node.args.get("decimals")):
            wrap(digits, exp.TryCast(to=INTEGER.copy()))
    return f"{root.sql(dialect='duckdb')}::DOUBLE"


def place_sql(trait: Trait, distributions: str) -> str:
    """Place of a value in the distribution of its metric: percentile, histogram bin, or bucket between percentiles."""
    value, metric = quote(trait.place_in), literal(trait.place_in)

    def frozen(what: str) -> str:
        return f"(SELECT any_value({what}) FROM {distributions} WHERE metric = {metric})"

    if trait.verb == "percentile":
        return _passed(value, frozen("percentiles"), "- 1")
    if trait.at is None:
        return _passed(value, frozen("edges"), "")
    edges = [frozen(f"percentiles[{str(edge).removeprefix('p')} + 1]") for edge in trait.at]
    labels = trait.labels or default_labels([str(edge) for edge in trait.at])
    return bucket_sql(value, edges, labels)


def _passed(value: str, edges: str, less: str) -> str:
    count = f"len(list_filter({edges}, lambda e: e <= {value}))"
    return f"CASE WHEN {value} IS NOT NULL THEN greatest({count} {less}, 0) END"


def bucket_sql(value: str, edges: list[str], labels: list[str]) -> str:
    """CASE that names the bucket of a value; a value on an edge is above it."""
    cases = [f"WHEN {value} < {edge} THEN {literal(label)}" for edge, label in zip(edges, labels, strict=False)]
    return f"CASE {' '.join(cases)} WHEN {value} IS NOT NULL THEN {literal(labels[-1])} END"


def default_labels(edges: list[float] | list[str]) -> list[str]:
    """Names for buckets that were given none: under 50, 50 to 200, 200 and over."""
    shown = [edge if isinstance(edge, str) else f"{edge:g}" for edge in edges]
    between = [f"{low} to {high}" for low, high in pairwise(shown)]
    return [f"under {shown[0]}", *between, f"{shown[-1]} and over"]
