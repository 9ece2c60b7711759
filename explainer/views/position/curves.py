"""One dimension at a time: waves over the places, and maps of the patches."""

from functools import lru_cache, partial

import numpy as np
import plotly.graph_objects as go

from explainer.caching import remember
from explainer.figures.maps import maps
from explainer.figures.theme import Mode
from explainer.figures.waves import waves_chart
from explainer.observation import positions
from explainer.observation.limits import common_limits, key_of
from explainer.observation.observe import Observation
from explainer.shell import controls
from explainer.shell.notes import note, note_scale
from explainer.shell.shown import show_chart, show_html
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.position.wording import TEXTS, WAVES, steps_of
from vit_core import ViTConfig
from vit_core.interpret.position import Wave, wave

DRAWN = 4  # dimensions beside the chosen one
LONG = 4  # times as many steps as there are places: neighbours hardly differ


def dimensions_of(kind: str, table: np.ndarray) -> list[int]:
    """Return some telling dimensions: waves from fast to slow, or those that differ most."""
    width = table.shape[1]
    if kind == "sincos":
        pairs = (width + 1) // 2
        return sorted({2 * round(at) for at in np.linspace(0, pairs - 1, min(DRAWN, pairs))})
    if kind == "sincos2d":
        quarter = width // 4
        return sorted({round(at) for at in np.linspace(0, quarter - 1, min(DRAWN, quarter))})
    order = np.argsort(-table.std(axis=0), kind="stable")
    return sorted(order[:DRAWN].tolist())


def unit_of(place: Place, kind: str, table: np.ndarray) -> int:
    """Return the chosen dimension; until one is chosen, a wave that swings about once or twice."""
    unit = place.unit
    if unit is not None:
        return min(unit, table.shape[1] - 1)
    telling = dimensions_of(kind, table)
    return telling[min(1, len(telling) - 1)]


def shown_dimensions(place: Place, config: ViTConfig, table: np.ndarray) -> list[int]:
    """Return the chosen dimension and some telling ones, in order."""
    unit = unit_of(place, place.kind, table)
    telling = dimensions_of(place.kind, table)
    # waves over the rows, beside one of them
    if place.kind == "sincos2d" and unit >= config.embed_dim // 2:
        telling = [one + config.embed_dim // 2 for one in telling]
    return sorted({*telling, unit})


def show_curves(choice: Choice, seen: Observation, place: Place, table: np.ndarray) -> None:
    texts, config, kind = TEXTS["curves"], seen.config, place.kind
    unit, shown = unit_of(place, kind, table), shown_dimensions(place, config, table)
    controls.slide(
        texts["slide"],
        range(config.embed_dim),
        unit,
        partial(keep_unit, unit),
        # a widget for each kind: each starts elsewhere, and none takes over the value of another
        key=place.key(f"position-unit-{kind}"),
        format_func=lambda one: str(one + 1),
        help=texts["slide_help"],
    )
    if kind in WAVES:
        show_waves(place, config, kind, shown, unit)
    limits = common_limits("position maps", choice, seen, place, dimension_limits)
    show_html(
        remember(
            ("position maps", *positions.table_key(choice, kind), unit, key_of(limits)),
            lambda: draw_maps(config, kind, table, shown, unit, limits),
        ),
        "maps",
    )
    note_scale(place)
    note(waves_note(config, kind, unit) if kind in WAVES else texts["learned_note"])


def waves_note(config: ViTConfig, kind: str, unit: int) -> str:
    texts, one = TEXTS["curves"], wave(kind, config.embed_dim, unit)
    places = places_along(config, one.along)
    is_long = 2 * np.pi / one.frequency > LONG * places
    return texts["waves_note"].format(
        along=texts[f"along_{one.along}"],
        steps=steps_of(one),
        long=texts["waves_long"].format(places=places) if is_long else "",
    )


def keep_unit(shown: int, chosen: int) -> None:
    # a slider that comes back hands over what it starts with, which nobody chose
    if chosen != shown:
        session.change(unit=chosen)


def places_along(config: ViTConfig, along: str) -> int:
    """Return how many places a wave has."""
    rows, columns = config.grid_size
    return {"position": positions.position_count(config), "row": rows, "column": columns}[along]


def show_waves(place: Place, config: ViTConfig, kind: str, shown: list[int], unit: int) -> None:
    texts = TEXTS["curves"]
    chosen_wave = wave(kind, config.embed_dim, unit)
    count = places_along(config, chosen_wave.along)
    names = [texts["name"].format(number=one + 1) for one in shown]
    values = {
        "along": texts[f"along_{chosen_wave.along}"],
        "steps": steps_of(chosen_wave),
        "places": count,
        "chosen": texts["name"].format(number=unit + 1),
    }
    show_chart(
        partial(chart, kind, config.embed_dim, tuple(shown), shown.index(unit), count),
        place,
        "position-waves",
        alt=texts["chart_alt"].format(names=", ".join(names), **values),
    )


@lru_cache(maxsize=128)  # making a figure costs more than all the rest of the page
def chart(
    kind: str, width: int, shown: tuple[int, ...], chosen: int, places: int, mode: Mode
) -> go.Figure:
    texts = TEXTS["curves"]
    waves_shown = [wave(kind, width, one) for one in shown]
    return waves_chart(
        [partial(height, one) for one in waves_shown],
        [texts["name"].format(number=one + 1) for one in shown],
        chosen,
        places,
        axis=texts[f"axis_{waves_shown[chosen].along}"],
        hover=texts["hover"],
        mode=mode,
    )


def height(one: Wave, places: np.ndarray) -> np.ndarray:
    return (np.cos if one.function == "cos" else np.sin)(one.frequency * places)


def dimension_limits(choice: Choice, seen: Observation, place: Place) -> np.ndarray:
    """Return the largest size of each dimension on the patches; none without a table."""
    table = positions.table(choice, seen, place.kind)
    return np.zeros(0) if table is None else np.abs(table[-seen.config.num_patches :]).max(axis=0)


def draw_maps(
    config: ViTConfig,
    kind: str,
    table: np.ndarray,
    shown: list[int],
    unit: int,
    limits: np.ndarray | None = None,
) -> str:
    texts = TEXTS["curves"]
    on_patches = table[-config.num_patches :]
    pictures = []
    for one in shown:
        values, name = on_patches[:, one], texts["name"].format(number=one + 1)
        if kind in WAVES:
            here = wave(kind, config.embed_dim, one)
            along = texts[f"along_{here.along}"]
            line = texts["wave"].format(steps=steps_of(here), along=along)
        else:
            line = texts["wave_learned"].format(spread=f"{values.std():.3f}")
        least, most = f"{values.min():.3f}", f"{values.max():.3f}"
        alt = texts["map_alt"].format(name=name, least=least, most=most)
        pictures.append((values.reshape(config.grid_size), name, line, alt))
    ends = None if limits is None else limits[shown].tolist()
    return maps(pictures, shown.index(unit), ends)
