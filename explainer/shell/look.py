"""The look of what stands around a page's parts."""

from pathlib import Path

from explainer.content import load_texts
from explainer.figures import theme

COLOURS = "".join(
    f"--frame-{name}: {shade.css};"
    for name, shade in {
        "accent": theme.ACCENT,
        "surface": theme.SURFACE,
        "background": theme.BACKGROUND,
        "text": theme.TEXT,
        "muted": theme.MUTED,
        "line": theme.LINE,
        "bad": theme.BAD,
    }.items()
)
WORDS = f'--frame-sidebar: "{load_texts("sidebar")["open"]}";'
CSS = (Path(__file__).parent / "frame.css").read_text(encoding="utf-8")
RULES = f".stApp {{ {COLOURS} {WORDS} }}\n{CSS}"
