"""Fields of Hugging Face's ``config.json``: those without effect here, and those refused."""

from vit_core.checks import quoted
from vit_core.pretrained.errors import PretrainedError
from vit_core.pretrained.fields import Fields

KINDS = ("vit", "deit", "dinov2", "dinov2_with_registers")
# fields of config.json that change nothing in what this project computes
NO_EFFECT = (
    "transformers_version",
    "torch_dtype",
    "dtype",  # computed in float32 here
    "initializer_range",
    "layerscale_value",  # before training
    "hidden_dropout_prob",
    "attention_probs_dropout_prob",
    "drop_path_rate",
    "classifier_dropout",  # none of which drops anything but in training
    "label2id",
    "num_labels",  # the weights say it
    "finetuning_task",
    "encoder_stride",  # of a decoder that is not read
    "use_mask_token",
    "pooler_act",
    "pooler_output_size",  # of the pooler, which is left out with a note
    "out_features",
    "out_indices",
    "stage_names",
    "reshape_hidden_states",
    "apply_layernorm",  # of a backbone's feature maps, which are not read
    "return_dict",
    "use_return_dict",
    "output_attentions",
    "output_hidden_states",
    "use_cache",
    "torchscript",
    "tie_word_embeddings",
    "is_encoder_decoder",
    "gradient_checkpointing",
    "chunk_size_feed_forward",
    "attn_implementation",
    "auto_map",
    "license",
    "tags",
    "library_name",
)
ARCHITECTURES = tuple(
    f"{name}{end}"
    for name in ("ViT", "DeiT", "Dinov2", "Dinov2WithRegisters")
    for end in ("Model", "ForImageClassification", "ForMaskedImageModeling", "Backbone")
)


def kind_of(config: Fields) -> str:
    """Return ``model_type``.

    Raises:
        PretrainedError: it is not one of ``KINDS``.
    """
    kind = config.get("model_type")
    if not isinstance(kind, str) or kind not in KINDS:
        raise PretrainedError(
            f"models of type {quoted(kind)} are not read here; allowed are {', '.join(KINDS)}"
        )
    return kind


def refuse_other_fields(config: Fields, architectures: tuple[str, ...] = ARCHITECTURES) -> None:
    """Refuse a model with parts that this project's model lacks.

    Raises:
        PretrainedError: there is such a part; the message names it.
    """
    if config.flag("use_swiglu_ffn"):
        raise PretrainedError("this model's MLP is gated (SwiGLU), and this project's is not")
    activation = config.get("hidden_act")
    if activation not in (None, "gelu"):
        raise PretrainedError(
            f"config.json has hidden_act {quoted(activation)}: this model's MLP computes "
            f"{quoted(activation)} where this project's computes GELU"
        )
    for name, allowed, because in (
        (
            "problem_type",
            ("single_label_classification",),
            "its logits are no classes of which one is right",
        ),
        ("pruned_heads", ({}, []), "some of its heads were cut out"),
        ("quantization_config", (), "its weights are codes that stand for numbers"),
        ("position_embedding_type", ("absolute",), "this project's positions are learned"),
        ("use_absolute_position_embeddings", (True,), "this project's positions are learned"),
        ("use_relative_position_bias", (False,), "this project's attention has none"),
        ("add_cross_attention", (False,), "this project's model has none"),
        ("is_decoder", (False,), "this project's model is an encoder"),
    ):
        config.only(name, *allowed, because=because)
    names = config.get("architectures") or []
    if not isinstance(names, list) or any(name not in architectures for name in names):
        raise PretrainedError(
            f"config.json has architectures {quoted(names)}, which are not all read here; allowed "
            f"are ViT, DeiT and Dinov2 (WithRegisters), as Model, ForImageClassification or "
            f"Backbone"
        )
