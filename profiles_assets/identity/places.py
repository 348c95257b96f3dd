"""Positions of keys among sorted ones: keys are hashes, so their leading bits tell nearly where they are."""

import numpy as np

from profiles_assets.identity.graph import NONE, Ints

BITS = 23


class Places:
    """Distinct keys in ascending order, and where each of them is."""

    def __init__(self, keys: Ints) -> None:
        self.keys = distinct(keys)
        least, most = (int(self.keys[0]), int(self.keys[-1])) if len(self.keys) else (0, 0)
        bits = min(BITS, max(len(self.keys), 1).bit_length())
        self.least, self.shift = least, max((most - least).bit_length() - bits, 0)
        self.start = np.searchsorted(self.keys, least + (np.arange(1 << bits) << self.shift)).astype(np.int32)

    def find(self, wanted: Ints) -> Ints:
        """Position (32 bits) of each wanted key, -1 where it is none of the keys."""
        if not len(self.keys) or not len(wanted):
            return np.full(len(wanted), NONE, dtype=np.int32)
        outside = (wanted < self.least) | (wanted > self.keys[-1])
        if outside.any():
            wanted = np.where(outside, self.keys[-1], wanted)
        at = self.start[(wanted - self.least) >> self.shift]
        late = np.flatnonzero(self.keys[at] < wanted)
        while len(late):
            at[late] += 1
            late = late[self.keys[at[late]] < wanted[late]]
        return np.where((self.keys[at] != wanted) | outside, NONE, at)


def distinct(values: Ints) -> Ints:
    """Distinct values in ascending order; sorts the array that it is given."""
    values.sort()
    first = np.ones(len(values), dtype=np.bool_)
    np.not_equal(values[1:], values[:-1], out=first[1:])
    return values[first]
