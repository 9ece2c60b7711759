"""The forward pass in the browser is PyTorch's, and its worker answers the newest picture."""

import base64
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from browser_helpers import served
from live_page import SAFE, UNSAFE, LivePage, arrays_of, live_page
from playwright.sync_api import Browser, Error, expect
from torch import Tensor

from explainer.inputs.models.for_browser import BrowserFile, make_file
from explainer.inputs.models.load import Source, load_source
from explainer.observation.live_answer import edited_pass, read_edits
from vit_core import TrainConfig, ViTConfig, trace
from vit_core.data import DataInfo, mnist_info, normalize
from vit_core.mistakes import MISTAKES, build_with

pytestmark = pytest.mark.browser

CLOSE = 1e-5  # of a tensor's largest number, at least of 1

TINY = ViTConfig(patch_size=7, embed_dim=16, depth=2, num_heads=2)
EVERYTHING = ViTConfig(  # everything that is unlike the default, at once
    image_size=(12, 20),
    in_channels=3,
    num_classes=5,
    patch_size=(4, 5),
    embed_dim=24,
    depth=2,
    num_heads=3,
    mlp_ratio=2.5,
    pos_embed="sincos2d",
    pool="mean",
    qkv_bias=False,
    norm_eps=1e-3,
    layer_scale=0.1,
    num_registers=2,
)
SHAPES = {
    "everything at once": EVERYTHING,
    "class token and registers": replace(
        EVERYTHING, pool="cls", pos_embed="learned", mlp_ratio=1.1, num_heads=2
    ),
    "no position": replace(TINY, pos_embed="none"),
    "no head, no last LayerNorm": replace(TINY, num_classes=0, final_norm=False, pool="mean"),
    "computed positions and a class token": replace(TINY, pos_embed="sincos", embed_dim=6),
    "one patch": replace(TINY, patch_size=28),
    "untrained, mean-pooled": ViTConfig(patch_size=4, pos_embed="sincos2d", pool="mean"),
}
FLAWED = ("no_residual", "no_layer_norm", "no_scaling")
SHIPPED = ("default", "fast", "best", "seed", "cifar10")


def source_of(name: str) -> Source:
    """Return a shipped model, or one in which no bias, norm, scale or token is a telling 0 or 1."""
    if name in SHIPPED:
        return load_source(name)
    if name in FLAWED:
        config, training = MISTAKES[name].apply(TINY, TrainConfig())
    else:
        config, training = SHAPES[name], None
    model = build_with(config, training, seed=1).eval()
    if name != "untrained, mean-pooled":
        generator = torch.Generator().manual_seed(2)
        # scores of hundreds, as large weights without LayerNorm give, make rounding visible
        spread = 0.05 if name in FLAWED else 0.2
        with torch.no_grad():
            for parameter in model.parameters():
                parameter += spread * torch.randn(parameter.shape, generator=generator)
    channels, names = config.in_channels, tuple("abcdefghij"[: config.num_classes])
    mean, std = (0.45, 0.4, 0.5)[:channels], (0.22, 0.25, 0.2)[:channels]
    info = mnist_info() if config == TINY else DataInfo("drawn", "", mean, std, names)
    return Source(model, info, None)


def pixels_for(config: ViTConfig, seed: int = 1) -> Tensor:
    """Return (1, channels, height, width) uint8: noise, and a half that is black."""
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.randint(
        256, (1, config.in_channels, *config.image_hw), generator=generator, dtype=torch.uint8
    )
    pixels[..., : config.image_hw[1] // 2] = 0
    return pixels


def as_drawn(pixels: Tensor) -> np.ndarray:
    """Return (height, width, channels), as a canvas has pixels."""
    return np.ascontiguousarray(pixels[0].permute(1, 2, 0).numpy())


def as_model(file: BrowserFile) -> dict[str, Any]:
    return {"address": f"/media/{file.hash}.bin", "hash": file.hash, "config": file.config}


def path_of(file: BrowserFile) -> str:
    return f"media/{file.hash}.bin"


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Iterator[LivePage]:
    with live_page(browser, {}) as page:
        page.open()
        yield page


def serve(tab: LivePage, source: Source) -> dict[str, Any]:
    """Put a model's file where the page looks for it."""
    file = make_file(source)
    tab.files[path_of(file)] = file.content
    return as_model(file)


def assert_equal(found: dict[str, np.ndarray], expected: dict[str, Tensor]) -> None:
    assert list(found) == list(expected)
    for name, tensor in expected.items():
        wanted = tensor[0].numpy()
        assert found[name].shape == wanted.shape, name
        scale = max(1.0, float(np.abs(wanted).max()))
        worst = float(np.abs(found[name] - wanted).max())
        assert worst <= CLOSE * scale, f"{name} differs by {worst} where {scale} is the largest"


@pytest.mark.parametrize("name", [*SHIPPED, *SHAPES, *FLAWED])
def test_every_tensor_is_pytorchs(tab: LivePage, name: str) -> None:
    source = source_of(name)
    pixels = pixels_for(source.model.config)
    found = tab.trace(serve(tab, source), as_drawn(pixels))
    assert_equal(found, dict(trace(source.model, normalize(pixels, source.info))))


ORDER = [7, 2, 9, 4, 11, 0, 5, 10, 3, 8, 1, 6]
EDITS = {
    "heads": {"headsOff": [[0, 1], [1, 0], [1, 2]]},
    "no position": {"noPosition": True},
    "order": {"order": ORDER},
    "order without position": {"order": ORDER, "noPosition": True},
    "mean": {"cover": {"3": "mean", "8": "mean"}},
    "black": {"cover": {"5": "black"}},
    "dropped": {"cover": {"0": "drop", "7": "drop"}},
    "all at once": {
        "order": ORDER,
        "headsOff": [[1, 1]],
        "cover": {"2": "drop", "7": "mean", "9": "black"},
    },
}


@pytest.mark.parametrize("what", EDITS)
@pytest.mark.parametrize("name", ["everything at once", "class token and registers"])
def test_an_edited_pass_is_pytorchs(tab: LivePage, name: str, what: str) -> None:
    source = source_of(name)
    edits = {**EDITS[what]}
    heads = source.model.config.num_heads
    edits["headsOff"] = [pair for pair in edits.get("headsOff", []) if pair[1] < heads]
    pixels = pixels_for(source.model.config)
    found = tab.trace(serve(tab, source), as_drawn(pixels), edits)
    found_edits = read_edits(edits, source.model.config)
    expected = edited_pass(source, as_drawn(pixels), found_edits)
    assert_equal(found, {name: tensor[None] for name, tensor in expected.items()})


def test_numbers_of_two_bytes_are_read_exactly(tab: LivePage) -> None:
    """Every half-precision number, and bfloat16 beside it."""
    bits = torch.arange(2**16, dtype=torch.int32).to(torch.uint16)
    halves, brains = bits.view(torch.float16), bits.clone().view(torch.bfloat16)
    tensors = {"half": halves, "brain": brains, "odd": halves[:3].clone()}
    content = safetensors.torch.save(tensors)
    told = tab.run("return told(readTensors(bytesOf(given)));", base64.b64encode(content).decode())
    found = arrays_of(told)
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(found[name], tensor.float().numpy())


@pytest.mark.parametrize(
    "content",
    [b"", b"not found", b"\xff" * 64, b"\x02\0\0\0\0\0\0\0{}"],
    ids=["nothing", "a sentence", "noise", "no tensors"],
)
def test_a_damaged_file_is_refused_and_fetched_again(tab: LivePage, content: bytes) -> None:
    source = source_of("no position")
    model = serve(tab, source)
    model["hash"] = f"damaged-{len(content)}"
    whole, path = tab.files[path_of(make_file(source))], model["address"].strip("/")
    tab.files[path] = content
    with pytest.raises(Error):
        tab.trace(model, as_drawn(pixels_for(source.model.config)))
    tab.files[path] = whole
    assert "logits" in tab.trace(model, as_drawn(pixels_for(source.model.config)))


WRONG = {
    "head 9": {"headsOff": [[0, 9]]},
    "head 0 in block -1": {"headsOff": [[-1, 0]]},
    "patch 16": {"cover": {"16": "mean"}},
    "covered by paint": {"cover": {"1": "paint"}},
    "an order of 16 patches": {"order": [0, 1, 2]},
    "each of 0 to 15 once": {"order": [0] * 16},
    "no edit headOff": {"headOff": []},
    "at least one patch": {"cover": {str(patch): "drop" for patch in range(16)}},
}


@pytest.mark.parametrize("why", WRONG)
def test_edits_that_do_not_fit_are_refused_and_the_next_is_answered(
    tab: LivePage, why: str
) -> None:
    source = source_of("no position")
    model, pixels = serve(tab, source), as_drawn(pixels_for(source.model.config))
    with pytest.raises(Error, match=why):
        tab.trace(model, pixels, WRONG[why])
    with pytest.raises(Error, match="783 pixel values"):
        tab.trace(model, pixels.reshape(-1)[:-1])
    assert "logits" in tab.trace(model, pixels)


PREPARE = """
const { model } = given;
const pixels = (value) => new Uint8ClampedArray(28 * 28).fill(value);
const pixelOf = (value) => Math.round(255 * (value * model.config.std[0] + model.config.mean[0]));
const first = (trace) => trace && pixelOf(trace.get("patches").data[0]);
"""


def test_the_newest_picture_wins_and_nobody_queues(tab: LivePage) -> None:
    model = {**serve(tab, source_of("no position")), "hash": "not yet open"}
    answers = tab.run(
        PREPARE
        + """const live = openLive(model);
        const one = pixels(1);
        const asked = [live.ask(one)];
        one.fill(99); // a caller may go on drawing into its pixels
        for (const value of [2, 3, 4, 5]) asked.push(live.ask(pixels(value)));
        await live.ready;
        const early = (await Promise.all(asked)).map(first);
        // now the first starts at once, and is finished
        const later = await Promise.all([6, 7, 8].map((value) => live.ask(pixels(value))));
        live.close();
        return [early, later.map(first)];""",
        {"model": model},
    )
    assert answers == [[None, None, None, None, 5], [6, None, 8]]


def test_two_users_share_a_worker_and_take_turns(tab: LivePage) -> None:
    model = serve(tab, source_of("no position"))
    answers = tab.run(
        PREPARE
        + """const [a, b] = [openLive(model), openLive(model)];
        await a.ready;
        const asked = [[a, 1], [a, 2], [b, 3], [a, 4], [b, 5]].map(([who, value]) =>
          who.ask(pixels(value)),
        );
        const values = (await Promise.all(asked)).map(first);
        const { engines } = globalThis[Symbol.for("vit-explainer.live")];
        const together = [...engines.keys()].filter((hash) => hash === model.hash).length;
        a.close();
        const other = first(await b.ask(pixels(6)));
        b.close();
        return [values, together, other];""",
        {"model": model},
    )
    assert answers == [[1, None, None, 4, 5], 1, 6]


def test_who_closes_gets_nothing_more_and_the_worker_ends(tab: LivePage) -> None:
    model = serve(tab, source_of("no position"))
    answers = tab.run(
        PREPARE
        + """const live = openLive(model);
        await live.ready;
        const { engines } = globalThis[Symbol.for("vit-explainer.live")];
        const { worker } = engines.get(model.hash);
        const ended = [];
        worker.terminate = () => (ended.push(1), Worker.prototype.terminate.call(worker));
        const asked = [live.ask(pixels(1)), live.ask(pixels(2))];
        live.close();
        live.close();
        const values = (await Promise.all([...asked, live.ask(pixels(3))])).map(first);
        const again = openLive(model); // in time: the same worker goes on
        const four = first(await again.ask(pixels(4)));
        await new Promise((resolve) => setTimeout(resolve, LIVE_LINGER + 200));
        const early = ended.length;
        again.close();
        await new Promise((resolve) => setTimeout(resolve, LIVE_LINGER + 200));
        return [values, four, early, ended.length, engines.has(model.hash)];""",
        {"model": model},
    )
    assert answers == [[None, None, None], 4, 0, 1, False]


def asked_for(page: LivePage) -> list[str]:
    return [path for path in page.asked if path.startswith("media")]


@pytest.mark.parametrize("host", [SAFE, UNSAFE])
def test_the_weights_are_fetched_once(browser: Browser, host: str) -> None:
    source = source_of("no position")
    with live_page(browser, {}) as page:
        model, pixels = serve(page, source), as_drawn(pixels_for(source.model.config))
        page.open(host)
        page.trace(model, pixels)
        page.run("for (const engine of LIVE.engines.values()) engine.end(null);")
        page.trace(model, pixels)
        assert len(asked_for(page)) == 1
        # a browser keeps them for the next visit where it trusts the connection
        page.open(host)
        page.trace(model, pixels)
        assert len(asked_for(page)) == (1 if host == SAFE else 2)


def test_only_few_models_are_kept(browser: Browser) -> None:
    source = source_of("no position")
    with live_page(browser, {}) as page:
        model, pixels = serve(page, source), as_drawn(pixels_for(source.model.config))
        page.open()
        for number in range(8):
            page.trace({**model, "hash": f"{number}"}, pixels)
        kept = page.run(
            """const kept = await (await caches.open(LIVE_STORE)).keys();
            return kept.map(({ url }) => url.split("/").at(-1));"""
        )
        assert kept == ["2", "3", "4", "5", "6", "7"]


def test_the_address_is_below_the_apps_own(browser: Browser) -> None:
    source = source_of("no position")
    with live_page(browser, {}) as page:
        model, pixels = serve(page, source), as_drawn(pixels_for(source.model.config))
        page.files = {f"app/{path}": content for path, content in page.files.items()}
        page.open(path="app/story")
        assert "logits" in page.trace(model, pixels)


def refusal(page: LivePage, model: dict[str, Any], before: str = "") -> list[str]:
    """Return why the model is not ready, why an ask is refused, and why one later is."""
    return page.run(
        PREPARE
        + before
        + """const live = openLive(model);
        const reasons = [];
        const asked = live.ask(pixels(1));
        const note = (error) => reasons.push(error.message);
        for (const promise of [live.ready, asked]) await promise.catch(note);
        await live.ask(pixels(2)).catch(note);
        live.close();
        return reasons;""",
        {"model": model},
    )


def test_a_model_that_is_gone_is_said_and_can_come_back(tab: LivePage) -> None:
    source = source_of("no position")
    model = {**serve(tab, source), "hash": "gone", "address": "/media/gone.bin"}
    assert refusal(tab, model) == ["the model's weights did not arrive (404)"] * 3
    tab.files["media/gone.bin"] = make_file(source).content
    assert "logits" in tab.trace(model, as_drawn(pixels_for(source.model.config)))


def test_weights_that_the_server_misses_for_a_moment_are_asked_for_again(browser: Browser) -> None:
    """Streamlit drops a file that no page needs while the page that needs it is drawn anew."""
    source = source_of("no position")
    with live_page(browser, {}) as page:
        model = serve(page, source)
        content = page.files.pop(path_of(make_file(source)))
        page.open()
        with page.page.expect_response("**/media/*") as response:
            page.run("globalThis.opened = openLive(given); opened.ready.catch(() => {});", model)
        assert response.value.status == 404
        page.files[path_of(make_file(source))] = content
        page.run("await opened.ready;")
        assert len(asked_for(page)) >= 2


def test_a_browser_without_workers_is_said(browser: Browser) -> None:
    with live_page(browser, {}) as page:
        model = serve(page, source_of("no position"))
        page.open()
        reasons = refusal(page, model, "delete globalThis.Worker;")
        assert reasons == ["this browser has no workers"] * 3


@pytest.mark.parametrize("policy", ["worker-src 'none'", "connect-src 'none'"])
def test_a_page_that_may_not_start_a_worker_or_fetch_says_so(browser: Browser, policy: str) -> None:
    with live_page(browser, {}) as page:
        model = serve(page, source_of("no position"))
        page.headers = {"Content-Security-Policy": policy}
        page.open()
        reasons = refusal(page, model)
        assert len(reasons) == 3 and all(reasons)


@pytest.mark.parametrize("base", ["", "class/7b"])
def test_the_app_hands_out_the_weights(browser: Browser, tmp_path: Path, base: str) -> None:
    """Below any path, on any page, also after the visitor has come from another page.

    A model that is too large for that is asked on the server, and its page is not drawn again.
    """
    script = Path(__file__).with_name("live_app.py")
    with served(script, tmp_path, STREAMLIT_SERVER_BASE_URL_PATH=base) as url:
        page = browser.new_page()
        for path in ("", "other"):
            page.goto(f"{url}/{path}")
            expect(page.locator(".answer")).to_have_text("10 logits")
        page.get_by_role("link", name="first").click()
        expect(page.locator(".answer")).to_have_text("10 logits")
        page.goto(f"{url}/large")
        expect(page.locator(".answer")).to_have_text("10 logits")
        expect(page.get_by_text("drawn 1 times")).to_be_visible()
        page.close()


SERVER = """
const sent = [];
const sleep = (time) => new Promise((resolve) => setTimeout(resolve, time));
const pixels = (value) => new Uint8ClampedArray(4).fill(value);
const said = (promise) =>
  promise.then((trace) => trace && told(trace), (error) => error.message);
"""


def test_a_server_is_asked_one_at_a_time_and_the_newest_wins(tab: LivePage) -> None:
    content = safetensors.torch.save({"logits": torch.tensor([1.5, -2.0])})
    found = tab.run(
        SERVER
        + """const live = openServerLive({ send: (asked) => sent.push(asked), every: 30 });
        await live.ready;
        const asked = [1, 2, 3].map((value) => said(live.ask(pixels(value), { noPosition: true })));
        await sleep(100);
        const early = sent.length;
        live.answered({ id: "of another", error: "no" });
        live.answered({ id: sent[0].id, tensors: given });
        live.answered({ id: sent[0].id, error: "again" });
        await sleep(100);
        live.answered({ id: sent[1].id, error: "too large" });
        const answers = await Promise.all(asked);
        const open = [said(live.ask(pixels(4))), said(live.ask(pixels(5)))];
        live.close();
        open.push(said(live.ask(pixels(6))));
        return { early, sent, answers, closed: await Promise.all(open) };""",
        base64.b64encode(content).decode(),
    )
    assert found["early"] == 1
    first, second = found["sent"][:2]
    assert first["id"] != second["id"] and first["edits"] == {"noPosition": True}
    assert base64.b64decode(first["pixels"]) == b"\1" * 4
    assert base64.b64decode(second["pixels"]) == b"\3" * 4
    logits, waited, failed = found["answers"]
    assert arrays_of(logits)["logits"].tolist() == [1.5, -2.0]
    assert (waited, failed) == (None, "too large")
    assert found["closed"] == [None, None, None]


def test_a_server_is_not_asked_too_often_and_not_waited_for_endlessly(tab: LivePage) -> None:
    """With a clock that stands still unless the test turns it."""
    found = tab.run(
        SERVER
        + """const [timers, { setTimeout }, { now }] = [[], globalThis, performance];
        let clock = 1000;
        globalThis.setTimeout = (act, delay) => timers.push({ act, delay });
        performance.now = () => clock;
        try {
          const send = (asked) => sent.push(asked);
          const live = openServerLive({ send, every: 80, patience: 60 });
          const answers = [said(live.ask(pixels(1)))];
          live.answered({ id: sent[0].id, error: "soon" });
          clock += 30;
          answers.push(said(live.ask(pixels(2))));
          const early = sent.length;
          clock += 50;
          timers.at(-1).act();
          const late = sent.length;
          timers.at(-1).act();
          live.close();
          const delays = timers.map(({ delay }) => delay);
          return { answers: await Promise.all(answers), early, late, delays };
        } finally {
          globalThis.setTimeout = setTimeout;
          performance.now = now;
        }"""
    )
    assert found["answers"] == ["soon", "the server does not answer"]
    assert (found["early"], found["late"]) == (1, 2)
    assert found["delays"] == [60, 50, 60]


def test_a_line_says_what_was_asked_before_it_was_there(tab: LivePage) -> None:
    found = tab.run(
        SERVER
        + """const live = openServerLine("late");
        const asked = said(live.ask(pixels(1)));
        const line = serverLine("late");
        line.connect((question) => sent.push(question));
        for (const listener of line.listeners) listener({ id: sent[0].id, error: "heard" });
        const answer = await asked;
        live.close();
        return [answer, sent.length, line.listeners.size];"""
    )
    assert found == ["heard", 1, 0]
