"""When something happens to a process."""

import math
from random import Random


def seconds(chance: Random, shortest: float, longest: float) -> float:
    """As often within a millisecond as within ten or a hundred: log-uniform."""
    return math.exp(chance.uniform(math.log(shortest), math.log(longest)))
