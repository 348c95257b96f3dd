"""Where a path of a file leads in its spec: the model and field there, and how to name them in a message."""

import types
from dataclasses import dataclass
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from profiles_assets.project.base import Spec
from profiles_assets.project.yaml_lines import Part

EXAMPLE = {
    "trait": "{count: order_completed, within: 30 days}",
    "source": "{files: orders/{day}/*.csv, time: ordered_at, event_is: order_completed, ids: {user_id: id}}",
    "prediction": "{predict: no order_completed, over: 30 days}",
    "entity": "{ids: {user_id: {}, email: {normalise: email}}}",
    "id type": "{} or {max_per_profile: 5}",
}


@dataclass(frozen=True)
class Spot:
    """A place in a spec: the named model around the last key, its name, and the model that has the key."""

    path: tuple[Part, ...]
    owner: type[Spec]
    name: str
    within_owner: tuple[Part, ...]
    holder: type[Spec]

    @property
    def key(self) -> str:
        """The last key of the path."""
        return str(self.path[-1]) if self.path else ""

    @property
    def keys(self) -> list[str]:
        """All keys that can stand where the last one does, as users write them."""
        return [field.alias or name for name, field in self.holder.model_fields.items()]

    @property
    def owner_words(self) -> str:
        """The owner in words: `trait "orders"`, or `the file`."""
        return f'{self.owner.noun} "{self.name}"' if self.name else self.owner.noun or "the file"

    @property
    def subject(self) -> str:
        """The value in words: `within of trait "orders"`."""
        inside = ".".join(map(str, self.within_owner))
        return f"{inside} of {self.owner_words}" if inside and self.owner.noun else inside or self.owner_words

    @property
    def prefix(self) -> str:
        """The value in words and a colon."""
        return f"{self.subject}: "

    @property
    def example(self) -> str:
        """`, such as key: value` where the spec has an example."""
        if not self.within_owner:
            return f", such as {EXAMPLE[self.owner.noun]}" if self.owner.noun in EXAMPLE else ""
        field = _field(self.owner, self.within_owner[0]) if len(self.within_owner) == 1 else None
        return f", such as {self.key}: {shown(field.examples[0], '')}" if field and field.examples else ""


def spot_of(model: type[Spec], path: tuple[Part, ...]) -> Spot:
    """Follow a path from the model of a file."""
    owner, name, start, inner = model, "", 0, model
    kind: Any = model
    for index, part in enumerate(path):
        holder, kind = kind, _inside(kind, part)
        inner = holder if _is_spec(holder) else inner
        if _is_spec(kind) and kind.noun:
            owner, name, start = kind, "" if _is_spec(holder) else str(part), index + 1
    return Spot(path, owner, name, path[start:], inner)


def _is_spec(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Spec)


def _inside(kind: Any, part: Part) -> Any:
    if _is_spec(kind):
        field = _field(kind, part)
        return _bare(field.annotation) if field else None
    arguments = get_args(kind)
    return _bare(arguments[-1]) if arguments else None


def _bare(annotation: Any) -> Any:
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return _bare(next(a for a in get_args(annotation) if a is not type(None)))
    return annotation


def _field(model: type[Spec], part: Part) -> FieldInfo | None:
    return next((field for name, field in model.model_fields.items() if part == (field.alias or name)), None)


def shown(value: Any, quote: str = '"') -> str:
    """A value as a user would write it, shortened."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        text = ", ".join(f"{key}: {shown(item, '')}" for key, item in list(value.items())[:4])
        return f"{{{text}}}"[:80]
    if isinstance(value, list):
        return f"[{', '.join(shown(item, '') for item in value[:6])}]"[:80]
    return f"{quote}{value[:60]}{quote}" if isinstance(value, str) else str(value)[:60]
