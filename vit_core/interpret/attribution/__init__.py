"""Which patches an answer relies on, by nine methods; a small file for each."""

from vit_core.interpret.attribution.attribute import METHODS, SIGNED, TARGETED, attribute
from vit_core.interpret.attribution.result import Attribution, AttributionError

__all__ = ["METHODS", "SIGNED", "TARGETED", "Attribution", "AttributionError", "attribute"]
