"""Records what Hugging Face's transformers compute with tiny random models, for the tests.

    pip install transformers==5.23.0 && python tests/core/recorded/record.py

Each folder beside this file gets a model as ``save_pretrained`` writes it and ``expected``: images,
and the tokens after the final LayerNorm or the logits, at the model's own image size and at another
one.
"""

from pathlib import Path

import torch
from safetensors.torch import save_file

from vit_core.torchvision_import import import_torchvision

HERE = Path(__file__).parent
SIZES = (32, 48)  # pixels: the models' own, and one for which positions are resampled
SHAPE = {
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "image_size": SIZES[0],
    "patch_size": 8,
}


def main() -> None:
    import_torchvision()  # before transformers, which import it
    import transformers as hf

    plain = {**SHAPE, "intermediate_size": 48}
    dino = {**SHAPE, "mlp_ratio": 2, "layerscale_value": 0.5}
    models = {
        "vit": hf.ViTForImageClassification(hf.ViTConfig(**plain, num_labels=5)),
        "vit_body": hf.ViTModel(hf.ViTConfig(**plain), add_pooling_layer=True),
        "deit": hf.DeiTForImageClassification(hf.DeiTConfig(**plain, num_labels=5)),
        "dinov2": hf.Dinov2Model(hf.Dinov2Config(**dino)),
        "dinov2_registers": hf.Dinov2WithRegistersModel(hf.Dinov2WithRegistersConfig(**dino)),
    }
    generator = torch.Generator().manual_seed(0)
    for name, model in models.items():
        with torch.no_grad():
            for parameter in model.parameters():  # all of them, tokens and scales as well
                parameter.normal_(0, 0.2, generator=generator)
        model.eval().save_pretrained(HERE / name)
        expected = {}
        for size in SIZES:
            images = torch.randn(2, 3, size, size, generator=generator)
            options = {} if name.startswith("dinov2") else {"interpolate_pos_encoding": True}
            with torch.no_grad():
                found = model(images, **options)
            logits = getattr(found, "logits", None)
            expected[f"images_{size}"] = images
            expected[f"output_{size}"] = found.last_hidden_state if logits is None else logits
        save_file(expected, HERE / name / "expected.safetensors")


if __name__ == "__main__":
    main()
