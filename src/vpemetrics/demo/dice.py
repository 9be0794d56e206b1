"""Repeatable chance: the draws a made-up organisation is built from."""

import math
import random

from vpemetrics.demo.hours import MINUTE


class Dice(random.Random):
    """Random draws that are the same for the same seed on every machine."""

    def chance(self, probability: float) -> bool:
        """True in this share of all calls."""
        return self.random() < probability

    def keeps(self, share: float) -> bool:
        """True in this share of all calls; where that is all of them, nothing is drawn."""
        return share >= 1 or self.chance(share)

    def minutes(self, median: float, spread: float = 1.0) -> int:
        """A lognormal length in seconds, from its median in minutes and its sigma."""
        return 1 + int(self.lognormvariate(math.log(median * MINUTE), spread))

    def sha(self) -> str:
        """A commit's name."""
        return f"{self.getrandbits(160):040x}"
