"""The incremental tier: exact, and only as much work as an edit changes."""

from circuitboard.engine.wavefront.engine import WavefrontEngine

__all__ = ["WavefrontEngine"]
