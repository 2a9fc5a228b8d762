"""The model that travels inside the package: its language, its weights, how it is loaded and measured."""

from circuitboard.models.embedded.demo import load_demo

__all__ = ["load_demo"]
