"""What the page on features says and shares between its parts."""

from collections.abc import Mapping

from explainer.content import load_texts
from explainer.observation.observe import Observation
from explainer.state.choice import Choice
from explainer.state.place import Place

TEXTS = load_texts("features")


def facts(choice: Choice, seen: Observation, place: Place) -> Mapping[str, object]:
    config, texts = seen.config, TEXTS["parts"]["read"]
    reads = texts["reads_class" if config.pool == "cls" else "reads_mean"]
    return {
        "width": config.embed_dim,
        "patches": config.num_patches,
        "depth": config.depth,
        "reads": reads.format(patches=config.num_patches),
    }


def share(number: float) -> str:
    return f"{100 * number:.0f} %"
