"""views/*.yml: chosen traits in a table of their own, one row per value of an id."""

from typing import ClassVar

from pydantic import Field

from profiles_assets.project.base import Name, Spec

KEYS = "_keys"
OWN_COLUMNS = ("profile_id", "owners")


class View(Spec):
    """A feature view: one row per value of an id type with the traits of whoever used it last."""

    noun: ClassVar[str] = "view"

    key: Name = Field(description="Id type of which every value gets a row.", examples=["email"])
    traits: list[Name] = Field(
        default_factory=list,
        description="Traits, scores and audiences in the view; by default all.",
        examples=[["spend_90d", "churn_risk_band"]],
    )
    personal: bool = Field(default=False, description="Show personal data (pii) as it is; by default it is masked.")
    title: str = Field(default="", description="Name for people.")
    description: str = Field(default="", description="What it is for.")
    owner: str = Field(default="", description="Who answers for it; by default the owner of the file.")


class ViewsFile(Spec):
    """Content of views/<file>.yml; its keys owner and entity hold for every view in it."""

    entity: Name | None = Field(
        default=None, description="Entity of these views; by default the first one.", examples=["user"]
    )
    owner: str = Field(default="", description="Who answers for these views.")
    views: dict[Name, View] = Field(min_length=1, description="Views by name.")
