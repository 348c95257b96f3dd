"""Checks of every declaration against the others."""

from profiles_assets.project.check_attribution import attribution_problems
from profiles_assets.project.check_audiences import audience_problems
from profiles_assets.project.check_columns import column_problems
from profiles_assets.project.check_functions import function_problems
from profiles_assets.project.check_funnels import funnel_problems
from profiles_assets.project.check_ids import id_type_problems
from profiles_assets.project.check_metrics import metric_problems
from profiles_assets.project.check_models import model_problems
from profiles_assets.project.check_predictions import prediction_problems
from profiles_assets.project.check_sources import project_problems, source_problems
from profiles_assets.project.check_traits import entity_problems, trait_problems
from profiles_assets.project.check_views import view_problems
from profiles_assets.project.draft import Draft
from profiles_assets.project.problems import Problem

CHECKS = (
    project_problems,
    id_type_problems,
    source_problems,
    column_problems,
    model_problems,
    entity_problems,
    trait_problems,
    function_problems,
    funnel_problems,
    metric_problems,
    prediction_problems,
    audience_problems,
    view_problems,
    attribution_problems,
)


def reference_problems(draft: Draft) -> list[Problem]:
    """Everything that is wrong between the valid parts of a project."""
    return [problem for check in CHECKS for problem in check(draft)]
