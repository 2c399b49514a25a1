"""Chance that repeats itself: the same words give the same throws."""

import random

Dice = random.Random


def dice(*words: object) -> Dice:
    return Dice(" ".join(str(word) for word in words))
