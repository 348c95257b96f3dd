"""Pictures of a trained model from the figures stored with it: calibration, gains and importance."""

from ml import charts
from ml.registry import Model
from profiles_assets import pictures
from profiles_assets.project.project import Forecast

MOST = 12


def model_pictures(forecast: Forecast, model: Model) -> dict[str, str]:
    """Markdown images by name; none of a figure that was not stored."""
    told, drawn = model.parameters, {}
    if points := told.get("reliability"):
        drawn["calibration"] = charts.calibration("Calibration: predicted and actual share", points, share=True)
    elif points := told.get("deciles"):
        drawn["calibration"] = charts.calibration("Calibration: predicted and actual mean by decile", points)
    if curve := told.get("lift_curve"):
        caught = "outcomes" if forecast.spec.is_probability else "the amount"
        drawn["gains"] = charts.gains(f"Gains: share of {caught} among the highest scores", curve)
    if found := told.get("importance"):
        measure = "log-loss" if forecast.spec.is_probability else "RMSE"
        title = f"Importance: rise of {measure} when the feature is shuffled"
        drawn["importance"] = charts.ranking(title, [(name, float(loss)) for name, loss in found[:MOST]])
    return {name: pictures.markdown(picture, name) for name, picture in drawn.items()}
