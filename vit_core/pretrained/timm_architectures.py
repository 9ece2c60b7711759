"""The arguments behind timm's names of architectures, for those that are plain ViTs.

A folder's ``config.json`` has the name of an architecture and the arguments that differ from it.
Widths and sizes follow from the tensors. This table has what does not, or what nobody would notice
if a tensor were missing. A test compares the table with timm itself.
"""

from typing import Any

# arguments that differ from timm's defaults → the architectures that have them
READ: tuple[tuple[dict[str, Any], str], ...] = (
    ({"num_heads": 2, "depth": 6}, "test_vit"),
    ({"num_heads": 3}, "deit_tiny_patch16_224 vit_tiny_patch16_224 vit_tiny_patch16_384"),
    (
        {"num_heads": 6},
        "deit_small_patch16_224 vit_small_patch16_224 vit_small_patch16_384 "
        "vit_small_patch32_224 vit_small_patch32_384 vit_small_patch8_224",
    ),
    ({"num_heads": 6, "init_values": 1.0}, "vit_small_patch14_dinov2"),
    ({"num_heads": 6, "no_embed_class": True}, "flexivit_small"),
    ({"num_heads": 6, "depth": 36, "init_values": 1.0}, "vit_small_patch16_36x1_224"),
    (
        {"num_heads": 6, "no_embed_class": True, "init_values": 1.0},
        "deit3_small_patch16_224 deit3_small_patch16_384",
    ),
    (
        {"num_heads": 6, "no_embed_class": True, "reg_tokens": 4, "init_values": 1.0},
        "vit_small_patch14_reg4_dinov2",
    ),
    ({"num_heads": 8, "no_embed_class": True, "init_values": 1.0}, "deit3_medium_patch16_224"),
    (
        {
            "num_heads": 8,
            "global_pool": "avg",
            "class_token": False,
            "fc_norm": False,
            "qkv_bias": False,
            "init_values": 1.0,
        },
        "vit_medium_patch16_gap_240 vit_medium_patch16_gap_256 vit_medium_patch16_gap_384",
    ),
    (
        {
            "num_heads": 10,
            "global_pool": "avg",
            "class_token": False,
            "fc_norm": False,
            "qkv_bias": False,
            "init_values": 1.0,
        },
        "vit_betwixt_patch16_gap_256",
    ),
    (
        {},
        "deit_base_patch16_224 deit_base_patch16_384 vit_base_patch16_224 "
        "vit_base_patch16_384 vit_base_patch32_224 vit_base_patch32_384 vit_base_patch8_224",
    ),
    ({"qkv_bias": False}, "vit_base_patch16_224_miil"),
    ({"init_values": 1.0}, "vit_base_patch14_dinov2"),
    ({"no_embed_class": True}, "flexivit_base"),
    ({"no_embed_class": True, "init_values": 1.0}, "deit3_base_patch16_224 deit3_base_patch16_384"),
    ({"no_embed_class": True, "reg_tokens": 1, "init_values": 1.0}, "vit_base_patch14_reg1_tipsv2"),
    ({"no_embed_class": True, "reg_tokens": 4, "init_values": 1.0}, "vit_base_patch14_reg4_dinov2"),
    (
        {"global_pool": "avg", "class_token": False, "fc_norm": False},
        "vit_base_patch16_siglip_gap_224 vit_base_patch16_siglip_gap_256 "
        "vit_base_patch16_siglip_gap_384 vit_base_patch16_siglip_gap_512",
    ),
    (
        {"no_embed_class": True, "reg_tokens": 7, "final_norm": False, "init_values": 1.0},
        "vit_base_patch16_radio_v3",
    ),
    ({"num_heads": 14, "init_values": 1.0}, "vit_base_patch16_plus_240 vit_base_patch32_plus_256"),
    (
        {
            "num_heads": 14,
            "depth": 18,
            "global_pool": "avg",
            "class_token": False,
            "reg_tokens": 4,
            "fc_norm": False,
        },
        "vit_so150m_patch16_reg4_gap_256 vit_so150m_patch16_reg4_gap_384",
    ),
    ({"num_heads": 16, "depth": 40}, "vit_giant_patch14_224"),
    ({"num_heads": 16, "depth": 48}, "vit_gigantic_patch14_224"),
    ({"num_heads": 16, "depth": 32}, "vit_huge_patch14_224"),
    (
        {"num_heads": 16, "depth": 24},
        "vit_large_patch14_224 vit_large_patch16_224 vit_large_patch16_384 "
        "vit_large_patch32_224 vit_large_patch32_384",
    ),
    ({"num_heads": 16, "depth": 24, "init_values": 1.0}, "vit_large_patch14_dinov2"),
    ({"num_heads": 16, "depth": 24, "no_embed_class": True}, "flexivit_large"),
    (
        {"num_heads": 16, "depth": 24, "final_norm": False, "init_values": 1.0},
        "vit_intern300m_patch14_448",
    ),
    (
        {"num_heads": 16, "depth": 32, "no_embed_class": True, "init_values": 1.0},
        "deit3_huge_patch14_224",
    ),
    (
        {"num_heads": 16, "depth": 24, "no_embed_class": True, "init_values": 1.0},
        "deit3_large_patch16_224 deit3_large_patch16_384",
    ),
    (
        {"num_heads": 16, "global_pool": "avg", "class_token": False, "fc_norm": False},
        "vit_base_patch16_gap_224",
    ),
    (
        {"num_heads": 16, "depth": 24, "no_embed_class": True, "reg_tokens": 1, "init_values": 1.0},
        "vit_large_patch14_reg1_tipsv2",
    ),
    (
        {"num_heads": 16, "depth": 24, "no_embed_class": True, "reg_tokens": 4, "init_values": 1.0},
        "vit_large_patch14_reg4_dinov2",
    ),
    (
        {"num_heads": 16, "depth": 27, "no_embed_class": True, "reg_tokens": 1, "init_values": 1.0},
        "vit_so400m_patch14_reg1_tipsv2",
    ),
    (
        {
            "num_heads": 16,
            "depth": 40,
            "global_pool": "avg",
            "class_token": False,
            "fc_norm": False,
        },
        "vit_giant_patch16_gap_224",
    ),
    (
        {
            "num_heads": 16,
            "depth": 32,
            "global_pool": "avg",
            "class_token": False,
            "fc_norm": False,
        },
        "vit_huge_patch14_gap_224 vit_huge_patch16_gap_448",
    ),
    (
        {
            "num_heads": 16,
            "depth": 32,
            "no_embed_class": True,
            "reg_tokens": 7,
            "final_norm": False,
        },
        "vit_huge_patch16_radio_v3",
    ),
    (
        {
            "num_heads": 16,
            "depth": 32,
            "no_embed_class": True,
            "reg_tokens": 9,
            "final_norm": False,
        },
        "vit_huge_patch16_radio_v4",
    ),
    (
        {
            "num_heads": 16,
            "depth": 24,
            "global_pool": "avg",
            "class_token": False,
            "fc_norm": False,
        },
        "vit_large_patch16_siglip_gap_256 vit_large_patch16_siglip_gap_384",
    ),
    (
        {
            "num_heads": 16,
            "depth": 27,
            "global_pool": "avg",
            "class_token": False,
            "fc_norm": False,
        },
        "vit_so400m_patch14_siglip_gap_224 vit_so400m_patch14_siglip_gap_378 "
        "vit_so400m_patch14_siglip_gap_384 vit_so400m_patch14_siglip_gap_448 "
        "vit_so400m_patch14_siglip_gap_896",
    ),
    (
        {
            "num_heads": 16,
            "depth": 27,
            "no_embed_class": True,
            "reg_tokens": 9,
            "final_norm": False,
        },
        "vit_so400m_patch16_radio_v4",
    ),
    (
        {
            "num_heads": 16,
            "depth": 24,
            "no_embed_class": True,
            "reg_tokens": 7,
            "final_norm": False,
            "init_values": 1.0,
        },
        "vit_large_patch16_radio_v3",
    ),
    (
        {
            "num_heads": 24,
            "depth": 40,
            "no_embed_class": True,
            "reg_tokens": 7,
            "final_norm": False,
        },
        "vit_giant_patch16_radio_v3",
    ),
)
# the first of the arguments that this project's model has not
REFUSED: tuple[tuple[dict[str, Any], str], ...] = (
    (
        {"mlp_layer": "SwiGLU"},
        "aimv2_1b_patch14_224 aimv2_1b_patch14_336 aimv2_1b_patch14_448 aimv2_3b_patch14_224 "
        "aimv2_3b_patch14_336 aimv2_3b_patch14_448 aimv2_huge_patch14_224 "
        "aimv2_huge_patch14_336 aimv2_huge_patch14_448 aimv2_large_patch14_224 "
        "aimv2_large_patch14_336 aimv2_large_patch14_448 vit_giant_patch14_dinov2 "
        "vit_giant_patch14_reg1_tipsv2 vit_giant_patch14_reg4_dinov2",
    ),
    (
        {"scale_attn_norm": True},
        "beit3_base_patch16_224 beit3_giant_patch14_224 beit3_giant_patch14_336 "
        "beit3_large_patch16_224",
    ),
    (
        {"distilled": True},
        "deit_base_distilled_patch16_224 deit_base_distilled_patch16_384 "
        "deit_small_distilled_patch16_224 deit_tiny_distilled_patch16_224",
    ),
    (
        {"fc_norm": True},
        "eva_large_patch14_196 eva_large_patch14_336 test_vit2 vit_base_patch16_reg4_gap_256 "
        "vit_betwixt_patch16_reg1_gap_256 vit_betwixt_patch16_reg4_gap_256 "
        "vit_betwixt_patch16_reg4_gap_384 vit_little_patch16_reg1_gap_256 "
        "vit_little_patch16_reg4_gap_256 vit_medium_patch16_reg1_gap_256 "
        "vit_medium_patch16_reg4_gap_256 vit_mediumd_patch16_reg4_gap_256 "
        "vit_mediumd_patch16_reg4_gap_384 vit_so150m2_patch16_reg1_gap_256 "
        "vit_so150m2_patch16_reg1_gap_384 vit_so150m2_patch16_reg1_gap_448 "
        "vit_wee_patch16_reg1_gap_256",
    ),
    (
        {"global_pool": "map"},
        "test_vit3 vit_base_patch16_siglip_224 vit_base_patch16_siglip_256 "
        "vit_base_patch16_siglip_384 vit_base_patch16_siglip_512 vit_large_patch16_siglip_256 "
        "vit_large_patch16_siglip_384 vit_so150m_patch16_reg4_map_256 "
        "vit_so400m_patch14_siglip_224 vit_so400m_patch14_siglip_378 "
        "vit_so400m_patch14_siglip_384",
    ),
    ({"norm_layer": "rmsnorm"}, "test_vit4"),
    ({"block_fn": "ParallelThingsBlock"}, "vit_base_patch16_18x2_224 vit_small_patch16_18x2_224"),
    (
        {"pre_norm": True},
        "vit_base_patch16_clip_224 vit_base_patch16_clip_384 vit_base_patch16_plus_clip_240 "
        "vit_base_patch32_clip_224 vit_base_patch32_clip_256 vit_base_patch32_clip_384 "
        "vit_base_patch32_clip_448 vit_betwixt_patch32_clip_224 vit_giant_patch14_clip_224 "
        "vit_gigantic_patch14_clip_224 vit_gigantic_patch14_clip_378 "
        "vit_huge_patch14_clip_224 vit_huge_patch14_clip_336 vit_huge_patch14_clip_378 "
        "vit_large_patch14_clip_224 vit_large_patch14_clip_336 vit_medium_patch16_clip_224 "
        "vit_medium_patch32_clip_224 vit_xsmall_patch16_clip_224",
    ),
    (
        {"act_layer": "quick_gelu"},
        "vit_base_patch16_clip_quickgelu_224 vit_base_patch32_clip_quickgelu_224 "
        "vit_gigantic_patch14_clip_quickgelu_224 vit_huge_patch14_clip_quickgelu_224 "
        "vit_huge_patch14_clip_quickgelu_378 vit_large_patch14_clip_quickgelu_224 "
        "vit_large_patch14_clip_quickgelu_336",
    ),
    ({"block_fn": "ResPostBlock"}, "vit_base_patch16_rpn_224"),
    (
        {"block_fn": "ParallelScalingBlock"},
        "vit_base_patch16_xp_224 vit_huge_patch14_xp_224 vit_large_patch14_xp_224 "
        "vit_pwee_patch16_reg1_gap_256",
    ),
    (
        {"act_layer": "gelu_tanh"},
        "vit_base_patch32_siglip_256 vit_base_patch32_siglip_gap_256 "
        "vit_giantopt_patch16_siglip_256 vit_giantopt_patch16_siglip_384 "
        "vit_giantopt_patch16_siglip_gap_256 vit_giantopt_patch16_siglip_gap_384 "
        "vit_large_patch16_siglip_512 vit_large_patch16_siglip_gap_512 "
        "vit_so400m_patch16_siglip_256 vit_so400m_patch16_siglip_384 "
        "vit_so400m_patch16_siglip_512 vit_so400m_patch16_siglip_gap_256 "
        "vit_so400m_patch16_siglip_gap_384 vit_so400m_patch16_siglip_gap_512",
    ),
    ({"attn_layer": "diff"}, "vit_dlittle_patch16_reg1_gap_256 vit_dwee_patch16_reg1_gap_256"),
    ({"block_fn": "DiffParallelScalingBlock"}, "vit_dpwee_patch16_reg1_gap_256"),
)
ARCHITECTURES: dict[str, dict[str, Any]] = {
    name: arguments for arguments, names in (*READ, *REFUSED) for name in names.split()
}
WIDTHS = {  # part of a name → width, of architectures whose heads are not 64 wide
    "test_vit": 64,
    "_gigantic_": 1664,
    "vit_giant_patch14_224": 1408,
    "vit_giant_patch16_gap_224": 1408,
    "_huge_": 1280,
    "_so400m_": 1152,
    "vit_base_patch16_gap_224": 768,
}


def width_of(name: str) -> int:
    """Return the width (``embed_dim``) of one of the architectures in ``READ``."""
    usual = 64 * ARCHITECTURES[name].get("num_heads", 12)
    return next((width for part, width in WIDTHS.items() if part in name), usual)
