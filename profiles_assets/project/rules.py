"""rules.yml and rules.csv: what people know about ids that the evidence does not tell."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import AfterValidator, Field, ValidationError, model_validator

from profiles_assets.project.base import Spec
from profiles_assets.project.problems import Problem, did_you_mean

Action = Literal["link", "unlink", "quarantine", "allow"]
ACTIONS: tuple[Action, ...] = get_args(Action)
PAIRS: tuple[Action, ...] = ("link", "unlink")
COLUMNS = ("action", "id", "other", "who", "why")


def _an_id(text: str) -> str:
    id_type, colon, value = text.partition(":")
    if not (colon and id_type.strip() and value.strip()):
        raise ValueError(f'"{text}" is not an id; write type:value, such as email:ann@example.com')
    return text


Id = Annotated[str, AfterValidator(_an_id)]
Pair = Annotated[list[Id], Field(min_length=2, max_length=2)]


class Rule(Spec):
    """One rule about one id or two, with who says so and why."""

    noun: ClassVar[str] = "rule"

    link: Pair | None = Field(
        default=None,
        description="Two ids of one person, whatever the evidence.",
        examples=[["email:ann@example.com", "user_id:42"]],
    )
    unlink: Pair | None = Field(
        default=None,
        description="Two ids of different people, whatever the evidence.",
        examples=[["email:ann@example.com", "user_id:43"]],
    )
    quarantine: Id | None = Field(
        default=None, description="An id that identifies nobody.", examples=["device_id:kiosk-7"]
    )
    allow: Id | None = Field(
        default=None,
        description="An id to which blocked values, max_linked and max_bridged do not apply.",
        examples=["email:team@example.com"],
    )
    who: str = Field(default="", description="Who says so.", examples=["support"])
    why: str = Field(default="", description="Why it is so.", examples=["she told us on the phone"])

    @model_validator(mode="after")
    def _one_action(self) -> Self:
        if sum(getattr(self, action) is not None for action in ACTIONS) != 1:
            raise ValueError(f"a rule has exactly one of {', '.join(ACTIONS)}")
        return self


class RulesFile(Spec):
    """Content of rules.yml."""

    rules: list[Rule] = Field(description="Rules about ids; of two about the same ids the later one holds.")


@dataclass(frozen=True)
class Ruling:
    """A rule about ids of an entity, with values as they were written; `origin` says where it stands."""

    entity: str
    action: Action
    id: tuple[str, str]
    other: tuple[str, str] | None = None
    who: str = ""
    why: str = ""
    origin: str = ""


class RuleError(ValueError):
    """A rule that cannot be; `hint` says how to put it right."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def valid_rules(data: dict[str, Any]) -> Iterator[tuple[int, Rule]]:
    """The rules in raw data that have the right form, with their positions."""
    told = data.get("rules")
    for index, raw in enumerate(told if isinstance(told, list) else ()):
        with suppress(ValidationError):
            yield index, Rule.model_validate(raw)


def ruling_of(rule: Rule, ids: dict[str, list[str]], origin: str) -> Ruling:
    """A declared rule as a ruling. Raises RuleError."""
    action: Action = next(a for a in ACTIONS if getattr(rule, a) is not None)
    told = getattr(rule, action)
    return make_ruling(
        action, told if isinstance(told, list) else [told], ids, who=rule.who, why=rule.why, origin=origin
    )


def make_ruling(
    action: str, told: list[str], ids: dict[str, list[str]], *, who: str = "", why: str = "", origin: str = ""
) -> Ruling:
    """A ruling about ids written as type:value, of the first entity that has their types. Raises RuleError."""
    if action not in ACTIONS:
        hint = did_you_mean(action, ACTIONS) or f"write one of {', '.join(ACTIONS)}"
        raise RuleError(f'"{action}" is no kind of rule', hint)
    wanted = 2 if action in PAIRS else 1
    if len(told) != wanted:
        raise RuleError(f"{action} is about {'two ids' if wanted == 2 else 'one id'}, not {len(told)}")
    nodes = [_node(text) for text in told]
    if len(set(nodes)) < len(nodes):
        raise RuleError(f"{action}: both ids are {told[0]}", "name two different ids")
    other = nodes[1] if wanted == 2 else None
    return Ruling(_entity({kind for kind, _ in nodes}, ids), action, nodes[0], other, who, why, origin)


def read_rules_csv(path: Path, file: str, ids: dict[str, list[str]]) -> tuple[list[Ruling], list[Problem]]:
    """Rulings in a CSV file with the columns action, id, other, who, why, and what is wrong with it."""
    import csv

    found, problems = [], []
    with path.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.DictReader(lines, restval="")
        if unknown := [name for name in reader.fieldnames or [] if name not in COLUMNS]:
            return [], [Problem(file, 1, f'unknown column "{unknown[0]}"', f"the columns are {', '.join(COLUMNS)}")]
        for row in reader:
            told = [text for text in (row.get("id", ""), row.get("other", "")) if text.strip()]
            try:
                origin = f"{file}:{reader.line_num}"
                action, who, why = (row.get(name, "").strip() for name in ("action", "who", "why"))
                found.append(make_ruling(action, told, ids, who=who, why=why, origin=origin))
            except RuleError as error:
                problems.append(Problem(file, reader.line_num, str(error), error.hint))
    return found, problems


def _node(text: str) -> tuple[str, str]:
    try:
        id_type, _, value = _an_id(text).partition(":")
    except ValueError as error:
        raise RuleError(str(error)) from None
    return id_type.strip(), value


def _entity(types: set[str], ids: dict[str, list[str]]) -> str:
    for entity, names in ids.items():
        if types <= set(names):
            return entity
    known = sorted({name for names in ids.values() for name in names})
    unknown = sorted(types - set(known))
    if not unknown:
        raise RuleError(f"no entity has both {' and '.join(sorted(types))}")
    hint = did_you_mean(unknown[0], known) or f"it has {', '.join(known)}"
    raise RuleError(f'"{unknown[0]}" is no id type of this project', hint)
