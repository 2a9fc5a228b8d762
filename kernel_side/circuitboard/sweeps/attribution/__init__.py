"""Attribution patching: what every cell of a sweep would do, estimated at once from gradients."""

from circuitboard.sweeps.attribution.attribute import Method, attribute
from circuitboard.sweeps.attribution.bound import FalseNegativeBound, false_negative_bound

__all__ = ["FalseNegativeBound", "Method", "attribute", "false_negative_bound"]
