"""Checks of every declaration against the others."""

from profiles_assets.project.check_predictions import prediction_problems
from profiles_assets.project.check_sources import project_problems, source_problems
from profiles_assets.project.check_traits import entity_problems, trait_problems
from profiles_assets.project.draft import Draft
from profiles_assets.project.problems import Problem


def reference_problems(draft: Draft) -> list[Problem]:
    """Everything that is wrong between the valid parts of a project."""
    checks = (project_problems, source_problems, entity_problems, trait_problems, prediction_problems)
    return [problem for check in checks for problem in check(draft)]
