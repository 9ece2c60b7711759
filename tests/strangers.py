"""Words with which strangers try to be links, formulas, icons, markup or orders."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

WIDTH = 24
# every sign that means something somewhere, and a mark by which each of its places is found
NAMES = tuple(f"=q.z{n} [x](http://e.invalid) **a** `c` $5$ <b>&lt;</b> \\_ :a:" for n in range(4))
FOLDER = "q.z[f](http:é) *a*"

HOSTILE = (
    *("apple_pie", "_a_", "R&D", "C++", "C#", "dog 🐶", "n01440764", "$5 and $6", "$x$", "a*b*c"),
    *("[x](http://e.invalid)", "![x](http://e.invalid/p.png)", "[x]: http://e.invalid", "[^1]"),
    *("<script>alert(1)</script>", "<b>b</b>", "<img src=x onerror=alert(1)>"),
    *("<http://e.invalid>", "<!-- c -->", "<a href='http://e.invalid'>x</a>"),
    *(
        "www.x.com/login",
        "www",
        "WWW.x.com",
        "http://e.invalid/a_b",
        "https://e.invalid",
        "mail@x.yz",
    ),
    *("mailto:mail@x.yz", "xmpp:a@b.cd", ":red[x]", ":material/home:", ":smile:", ":streamlit:"),
    *(":red-badge[x]", ":color[x]{foreground=red}", "::video[x]", ":::note", "a:b:c", "@{x=y}"),
    *("~~x~~", "`c`", "```", "**b**", "__b__", "| a | b |", "# h", "- l", "+ l", "* l", "1. x"),
    *("2) x", "> q", "---", "===", "\\", "a\\_b", "\\(x\\)", "&lt;", "&#42;", "a -> b", "a <- b"),
    *("a <-> b", "a -- b", "a >= b", "a <= b", "a ~= b", '=HYPERLINK("http://e.invalid")', "+1"),
    *("-1", "@SUM(1)", "%{x}", "{answer}", "{0}", "%s", "[ ] t", "[x] t", "'q'", '"q"'),
    *("שלום", "日本語", "a 👨‍👩‍👧", "Zoë", "jack-o'-lantern", "(a)", "a](b)", "x" * 160),
)
UNSEEN = {  # what nobody can see, or what spoils the line, and what is shown of it
    "a\tb": "a␉b",
    "a\r\nb": "a␍␊b",
    "a\x00b\x1b[31m": "a␀b␛[31m",
    "a\x7fb": "a␡b",
    "abc\u202edef": "abc�def",
    "a\u200bb\ufeff": "a�b�",
    "a\u2066b\u2028c\u00ad": "a�b�c�",
    "a\xa0b": "a b",
    "y" * 161: "y" * 159 + "…",
    "z" * 100_000: "z" * 159 + "…",
}


def a_model_folder(folder: Path, names: tuple[str, ...]) -> None:
    """Write a small model in Hugging Face's format whose classes have these names."""
    shapes = {
        "embeddings.cls_token": (1, 1, WIDTH),
        "embeddings.position_embeddings": (1, 17, WIDTH),
        "embeddings.patch_embeddings.projection.weight": (WIDTH, 3, 8, 8),
        "classifier.weight": (len(names), WIDTH),
        "encoder.layer.0.intermediate.dense.weight": (2 * WIDTH, WIDTH),
        "encoder.layer.0.intermediate.dense.bias": (2 * WIDTH,),
        "encoder.layer.0.output.dense.weight": (WIDTH, 2 * WIDTH),
        "encoder.layer.0.output.dense.bias": (WIDTH,),
        "embeddings.patch_embeddings.projection.bias": (WIDTH,),
        "classifier.bias": (len(names),),
    }
    attention = ("attention.query", "attention.key", "attention.value", "output.dense")
    norms = ("encoder.layer.0.layernorm_before", "encoder.layer.0.layernorm_after", "layernorm")
    for name in attention:
        shapes[f"encoder.layer.0.attention.{name}.weight"] = (WIDTH, WIDTH)
        shapes[f"encoder.layer.0.attention.{name}.bias"] = (WIDTH,)
    for name in norms:
        shapes |= {f"{name}.weight": (WIDTH,), f"{name}.bias": (WIDTH,)}
    drawn = torch.Generator().manual_seed(0)
    folder.mkdir()
    weights = {key: 0.2 * torch.randn(shape, generator=drawn) for key, shape in shapes.items()}
    save_file(weights, folder / "model.safetensors")
    about = {
        "model_type": "vit",
        "hidden_size": WIDTH,
        "num_hidden_layers": 1,
        "num_attention_heads": 3,
        "intermediate_size": 2 * WIDTH,
        "image_size": 32,
        "patch_size": 8,
        "id2label": dict(enumerate(names)),
    }
    (folder / "config.json").write_text(json.dumps(about))
