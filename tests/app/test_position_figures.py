"""Waves and maps of positions, as objects."""

import base64
import re

import numpy as np
import pytest
from PIL import Image

from explainer.figures import theme
from explainer.figures.maps import every_map, every_picture, maps
from explainer.figures.pixels import palette
from explainer.figures.waves import waves_chart

CURVES = [np.sin, lambda places: np.cos(places / 10)]


def chart(chosen: int = 0, places: int = 5, mode: theme.Mode = "light"):
    return waves_chart(
        CURVES, ["fast", "slow"], chosen, places, axis="place", hover="%{x}: %{y}", mode=mode
    )


def picture(html: str, tmp_path) -> np.ndarray:
    address = re.search(r'src="data:image/png;base64,([^"]+)"', html)[1]
    file = tmp_path / "picture.png"
    file.write_bytes(base64.b64decode(address))
    return np.asarray(Image.open(file).convert("RGBA"))


def colour(pixel: np.ndarray) -> str:
    return "#" + bytes(pixel[:3]).hex()


# waves


def test_every_wave_is_a_curve_with_a_dot_at_each_place() -> None:
    figure = chart()
    assert [trace.mode for trace in figure.data] == ["lines", "markers"] * 2
    for curve, line, dots in (
        (CURVES[1], *figure.data[:2]),
        (CURVES[0], *figure.data[2:]),
    ):
        assert list(dots.x) == [0, 1, 2, 3, 4]
        np.testing.assert_allclose(dots.y, curve(np.arange(5)))
        np.testing.assert_allclose(line.y, curve(np.asarray(line.x)))
        assert line.x[0] == 0 and line.x[-1] == 4 and len(line.x) > 50
    assert figure.layout.xaxis.title.text == "place"
    assert figure.layout.yaxis.range == (-1.1, 1.1)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_chosen_wave_is_in_colour_on_top_and_named(mode: theme.Mode) -> None:
    figure = chart(chosen=1, mode=mode)
    assert figure.data[-1].name == "slow"
    assert figure.data[-1].marker.color == theme.ACCENT.for_mode(mode)
    assert figure.data[0].line.color == theme.MUTED.for_mode(mode)
    assert figure.layout.annotations[0].text == "slow"
    assert "slow" in figure.data[-1].hovertemplate


def test_one_place_alone_has_a_dot() -> None:
    assert list(chart(places=1).data[-1].x) == [0]


@pytest.mark.parametrize(("chosen", "places"), [(2, 5), (-1, 5), (0, 0)])
def test_a_chart_without_places_or_without_its_wave_is_refused(chosen: int, places: int) -> None:
    with pytest.raises(ValueError, match="needs a place"):
        chart(chosen, places)


# maps


def test_maps_say_what_they_show_and_frame_the_chosen_one() -> None:
    values = np.array([[-2.0, 0.0], [1.0, 2.0]])
    html = maps([(values, "one", "line <1>", "alt 1"), (0 * values, "two", "", "alt 2")], 1)
    assert html.count("<figure") == 2 and html.count('<figure class="chosen"') == 1
    assert html.index("<b>one</b>") < html.index('class="chosen"') < html.index("<b>two</b>")
    assert 'alt="alt 1"' in html and "line &lt;1&gt;" in html


def test_a_map_has_the_full_colours_at_its_own_largest_size(tmp_path) -> None:
    seen = picture(maps([(np.array([[-3.0, 0.0, 3.0]]), "", "", "")], 0), tmp_path)
    hexes = [colour(pixel) for pixel in seen[0]]
    assert hexes[0] == theme.DIVERGING[0] and hexes[2] == theme.DIVERGING[-1]
    assert seen[0, 1, :3].min() > 230


def test_every_map_lies_where_its_place_is(tmp_path) -> None:
    rows, columns = 2, 3
    values = np.full((6, 6), -1.0)
    values[4] = np.linspace(0, 1, 6)
    html = every_map(every_picture(values, (rows, columns)), (rows, columns), 4, "all of them")
    seen = picture(html, tmp_path)
    assert seen.shape[:2] == (rows * 3 - 1, columns * 4 - 1)
    # place 4 is row 1, column 1: its map begins 3 rows down and 4 columns in
    last = seen[3 + 1, 4 + 2]
    assert colour(last) == theme.DIVERGING[-1]
    assert colour(seen[0, 0]) == colour(palette(theme.DIVERGING)[1])  # 0 is for the gaps
    assert (seen[2, :, 3] == 0).all() and (seen[:, 3, 3] == 0).all()  # gaps
    left, top = re.search(r"left:([\d.]+)%;top:([\d.]+)%", html).groups()
    assert float(left) == pytest.approx(100 * 3.5 / 11, abs=1e-3)
    assert float(top) == pytest.approx(100 * 2.5 / 5, abs=1e-3)
    assert 'alt="all of them"' in html


def test_no_place_is_framed_while_none_is_chosen() -> None:
    assert "<i " not in every_map(every_picture(np.eye(4), (2, 2)), (2, 2), None, "")


def test_maps_that_do_not_fit_the_grid_or_are_no_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="no maps of 2 x 3"):
        every_picture(np.eye(4), (2, 3))
    with pytest.raises(ValueError, match="finite"):
        maps([(np.array([[np.nan]]), "", "", "")], 0)
