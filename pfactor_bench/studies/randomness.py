"""A study's random streams in hand: the same in every run, and compared where they end.

A run is exact evidence only if nothing but the changed cohort can have moved its predictions. So
streams that nobody seeds begin at the same place in every run, all streams that a run creates are
known, and their ends tell whether two runs have drawn the same numbers. A *salt* other than 0 is
mixed into every seed: it gives the runs that a study's own randomness might have given instead.
"""

from __future__ import annotations

import hashlib
import pickle
import random
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Streams"]

#: Where a stream begins that nobody seeds.
_UNSEEDED = 20_261_130
_LARGEST = 2**32
#: NumPy's own, whatever an earlier run in this process has put in their places.
_DEFAULT_RNG, _RANDOM_STATE = np.random.default_rng, np.random.RandomState


class Streams:
    """The random streams of one run, from here to the end of the process.

    Parameters
    ----------
    salt
        Mixed into every seed that is given from now on; 0 leaves given seeds as they are.
    """

    def __init__(self, salt: int = 0) -> None:
        self._salt = salt
        self._created: list[Any] = []
        self._n_unseeded = 0
        self._wrap(random, "seed")
        self._wrap(np.random, "seed")
        random.seed(_UNSEEDED)
        np.random.seed(_UNSEEDED)  # noqa: NPY002 - the global stream is what is meant
        self._watch_generators()
        if (torch := sys.modules.get("torch")) is not None:
            self._wrap(torch, "manual_seed")
            torch.manual_seed(_UNSEEDED)
            torch.random.manual_seed = torch.manual_seed

    def ends(self) -> str:
        """Return a digest of where every stream has come to; equal digests: the same draws."""
        states: list[object] = [
            random.getstate(),
            np.random.get_state(legacy=False),  # noqa: NPY002 - the global stream
            [_state(one) for one in self._created],
        ]
        if (torch := sys.modules.get("torch")) is not None:
            states.append(torch.get_rng_state().numpy().tobytes())
        return hashlib.sha256(pickle.dumps(states, protocol=4)).hexdigest()

    def _salted(self, seed: int) -> int:
        """Return a whole number mixed with the salt, in the range that every library takes."""
        if not self._salt:
            return seed
        mixed = hashlib.sha256(f"{seed}/{self._salt}".encode()).digest()
        return int.from_bytes(mixed[:4], "little")

    def _seed(self, given: Any) -> Any:  # noqa: ANN401 - whatever a study seeds with
        """Return what to seed with instead: nothing becomes a fixed number, another each time."""
        if given is None:
            self._n_unseeded += 1
            return self._salted(_UNSEEDED + self._n_unseeded)
        if isinstance(given, (int, np.integer)):
            return self._salted(int(given))
        if self._salt and isinstance(given, (list, tuple, np.ndarray)):
            return [int(one) % _LARGEST for one in np.ravel(given)] + [self._salt]
        return given

    def _wrap(self, module: Any, name: str) -> None:  # noqa: ANN401 - a module
        """Let a function that seeds a global stream seed it with what we say instead."""
        original: Callable[..., object] = getattr(module, name)
        original = getattr(original, "unsalted", original)

        def seed(given: Any = None, *others: Any, **named: Any) -> object:  # noqa: ANN401
            return original(self._seed(given), *others, **named)

        seed.unsalted = original  # type: ignore[attr-defined]
        setattr(module, name, seed)

    def _watch_generators(self) -> None:
        """Seed NumPy's generators as everything else, and keep hold of those that are made."""
        streams = self

        def default_rng(seed: Any = None) -> np.random.Generator:  # noqa: ANN401
            made = _DEFAULT_RNG(streams._seed(seed))
            streams._created.append(made)
            return made

        class _Instances(type):
            def __instancecheck__(cls, instance: object) -> bool:
                return isinstance(instance, _RANDOM_STATE)

        class RandomState(_RANDOM_STATE, metaclass=_Instances):  # type: ignore[misc, valid-type]
            def __init__(self, seed: Any = None) -> None:  # noqa: ANN401
                super().__init__(streams._seed(seed))
                streams._created.append(self)

        np.random.default_rng = default_rng
        np.random.RandomState = RandomState  # type: ignore[misc]


def _state(stream: Any) -> object:  # noqa: ANN401 - a Generator or a RandomState
    if isinstance(stream, np.random.Generator):
        return stream.bit_generator.state
    return stream.get_state(legacy=False)
