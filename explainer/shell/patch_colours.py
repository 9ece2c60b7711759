"""The colours of patches beside their image, for a model without a head."""

from explainer.figures.colour_map import colours_of, side_by_side
from explainer.figures.pixels import image_address
from explainer.observation import features
from explainer.observation.observe import Observation
from explainer.observation.text_variants import texts_of
from explainer.shell.shown import show_html


def show_patch_colours(seen: Observation) -> None:
    """Draw both: red, green and blue are the patches' first three principal components."""
    texts, grid = texts_of("features", seen)["parts"]["colours"], seen.config.grid_size
    components, (rows, columns) = features.principal(seen), grid
    shares = f"{100 * float(components.shares.sum()):.0f} %"
    show_html(
        side_by_side(
            image_address(seen.pixels),
            colours_of(components.scores, grid),
            (
                (texts["image_alt"], texts["image"]),
                (
                    texts["map_alt"].format(rows=rows, columns=columns),
                    texts["map"].format(shares=shares),
                ),
            ),
        ),
        "patch-colours",
    )
