"""Funnels as sentences, tables and pictures for people."""

from collections.abc import Sequence

from profiles_assets import pictures
from profiles_assets.project.funnels import Funnel, Step
from profiles_assets.traits.funnel_report import StepReport

SPANS = ((604_800, "week"), (86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def rules(funnel: Funnel) -> str:
    """What makes an attempt at a funnel, in sentences."""
    order = {
        "loose": "Steps in this order, anything else between.",
        "strict": "Steps in this order, no other step between; repeats of the step just taken are fine.",
        "any": "Steps in any order.",
    }
    words = [order[funnel.order]]
    if funnel.within:
        words.append(f"The last at most {_span(funnel.within)} after the first.")
    if funnel.same:
        words.append(f"All with the same {' and '.join(f'`{path}`' for path in funnel.same)}.")
    if funnel.unless:
        words.append(f"Broken by {' or '.join(_event(step) for step in funnel.unless)} between the steps.")
    if funnel.during:
        words.append(f"Only events of the last {_span(funnel.during * 86_400)}.")
    return " ".join(words)


def outline(funnel: Funnel) -> str:
    """Markdown picture of the steps, and a table of what they are."""
    rows = [f"| {k} | {step.title} | {_event(step)} |" for k, step in enumerate(funnel.steps, 1)]
    picture = pictures.markdown(pictures.funnel_outline([step.title for step in funnel.steps]), "steps of the funnel")
    return "\n".join([picture, "", "| step | title | event |", "| --- | --- | --- |", *rows])


def steps_table(steps: Sequence[StepReport]) -> str:
    """Markdown table of a report."""
    rows = [
        f"| {s.step} | {s.title} | {s.people:,} | {_percent(s.step_conversion)} | {_percent(s.conversion)} "
        f"| {_hours(s.median_hours)} |"
        for s in steps
    ]
    head = "| step | title | people | of the step before | of all who started | median time since the start |"
    return "\n".join([head, "| --- " * 6 + "|", *rows])


def steps_picture(steps: Sequence[StepReport]) -> str:
    """Markdown picture of a report."""
    drawn = [(s.title, float(s.people), f"{s.people:,} · {_percent(s.conversion)}", _under(s)) for s in steps]
    return pictures.markdown(pictures.funnel(drawn), "people by step")


def _under(step: StepReport) -> str:
    if step.step == 1 or not step.people:
        return "all who started" if step.people else "nobody"
    return f"{_percent(step.step_conversion)} of the step before, median {_hours(step.median_hours)}"


def _event(step: Step) -> str:
    where = ", ".join(f"{field}: {value}" for field, value in step.where.items())
    return f"`{step.event}` where `{where}`" if where else f"`{step.event}`"


def _span(seconds: int) -> str:
    size, name = next(span for span in SPANS if seconds % span[0] == 0)
    count = seconds // size
    return f"{count} {name}{'s' if count > 1 else ''}"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"


def _hours(hours: float | None) -> str:
    if hours is None:
        return ""
    if hours < 1:
        return f"{hours * 60:.0f} minutes"
    return f"{hours:.1f} hours" if hours < 48 else f"{hours / 24:.1f} days"
