"""The pipeline as a picture, whose tiles lead to their pages."""

from urllib.parse import urlencode

from explainer.components.pipeline import show_pipeline
from explainer.content import load_texts
from explainer.figures.pipeline import pipeline
from explainer.observation.observe import Observation
from explainer.observation.text_variants import texts_of
from explainer.shell import routes
from explainer.state import session
from explainer.state.choice import Choice
from explainer.views.home.stages import stages

TEXTS = load_texts("home")


def show_stages(choice: Choice, observation: Observation) -> None:
    query = urlencode(session.link())
    addresses = {view: f"{routes.address(view)}?{query}".rstrip("?") for view in routes.PIPELINE}
    marked = TEXTS["legend_class_token"] if observation.config.pool == "cls" else ""
    rows = stages(observation, texts_of("home", observation), choice.trained, addresses)
    if view := show_pipeline(pipeline(rows, TEXTS["legend"] + marked), key="pipeline"):
        routes.go(view)
