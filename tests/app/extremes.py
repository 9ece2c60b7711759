"""Links to untrained models at the ends of what the sliders allow."""

EXTREMES = [
    {"patches": patches, "width": width, "heads": heads, "depth": depth, "position": position}
    for patches, width, heads, depth, position in (
        (2, 8, 1, 1, "none"),
        (14, 8, 8, 8, "sincos"),
        (2, 128, 8, 1, "sincos2d"),
        (14, 128, 1, 8, "learned"),
    )
]
