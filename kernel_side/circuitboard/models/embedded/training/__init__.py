"""Training of the embedded model: ``python -m circuitboard.models.embedded.training``.

Nothing here is imported when the model is loaded.
"""
