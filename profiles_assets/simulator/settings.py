"""What can be set in the simulated shop: its size, how people behave, and how dirty the data is."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Rate = Annotated[float, Field(ge=0)]


class Section(BaseModel):
    """A group of settings: unknown keys are refused, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Population(Section):
    """Who the people are; whoever is neither a guest nor anonymous signs up."""

    already_customers: Share = 0.35
    guests: Share = 0.12
    anonymous: Share = 0.33
    sign_up_delay_days: Positive = 8.0
    newsletter: Share = 0.4
    change_email: Share = 0.05


class Devices(Section):
    """Devices, the anonymous ids on them, and who shares them."""

    extra_per_person: Rate = 0.6
    days_between_resets: Positive = 150.0
    device_id_missing: Share = 0.25
    logged_in: Share = 0.75
    in_families: Share = 0.08
    family_tablet_visits: Share = 0.3
    family_common_profile: Share = 0.5
    kiosks: int = Field(default=1, ge=0)
    kiosk_users: Share = 0.05
    kiosk_visits: Share = 0.15
    shared_logged_in: Share = 0.85


class Behaviour(Section):
    """How often people come, buy and leave."""

    visits_per_day_registered: Rate = 0.036
    visits_per_day_guest: Rate = 0.03
    visits_per_day_anonymous: Rate = 0.05
    anonymous_interest_days: Positive = 40.0
    events_per_visit: float = Field(default=4.65, ge=1)
    buyers_among_registered: Share = 0.5
    days_to_first_order: Positive = 10.0
    orders_per_day: Rate = 0.085
    order_rate_shape: Positive = 0.8
    dropout_days: Positive = 400.0
    dropout_shape: Positive = 2.5
    yearly_amplitude: Share = 0.3
    weekly_amplitude: Share = 0.25
    order_value_median: Positive = 32.0
    order_value_spread_people: Rate = 0.6
    order_value_spread_orders: Rate = 0.5
    cart_abandoned: Share = 0.12
    profile_updates: Share = 0.05
    change_plan: Share = 0.1
    order_without_login: Share = 0.03
    newsletter_opened: Share = 0.15


class Trouble(Section):
    """What goes wrong with orders; damage is the visible cause of churn."""

    damaged: Share = 0.025
    leave_after_damage: Share = 0.85
    visits_kept_after_leaving: Share = 0.2
    other_tickets: Share = 0.04


class Noise(Section):
    """What is wrong with the files; shares are of the clean rows of each source."""

    late: Share = 0.03
    late_days: int = Field(default=5, ge=1, le=5)
    duplicates: Share = 0.01
    duplicate_days: int = Field(default=5, ge=0, le=7)
    malformed: Share = 0.002
    blocked_user_id: Share = 0.02
    blocked_email: Share = 0.01
    emails_in_capitals: Share = 0.02
    bots_per_thousand: Rate = 1.0
    bot_events_per_day: Rate = 4.0
    dated_1970: int = Field(default=1, ge=0)
    dated_2090: int = Field(default=1, ge=0)


class Settings(Section):
    """The simulated shop; the same settings always give the same files."""

    people: int = Field(default=20_000, ge=1)
    days: int = Field(default=365, ge=1)
    start: date = date(2025, 1, 1)
    seed: int = Field(default=7, ge=0)
    spare_days: int = Field(default=31, ge=0, description="days that can be added after the last one")
    population: Population = Population()
    devices: Devices = Devices()
    behaviour: Behaviour = Behaviour()
    trouble: Trouble = Trouble()
    noise: Noise = Noise()

    @property
    def horizon(self) -> int:
        """Days of the simulated world, those still to be added included."""
        return self.days + self.spare_days


def load_settings(path: Path) -> Settings:
    """Read settings from a YAML file; whatever it leaves out keeps its default."""
    return Settings.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
