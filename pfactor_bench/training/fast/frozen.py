"""Features of frozen encoders, computed once instead of in every step."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from pfactor_bench.errors import ModelError
from pfactor_bench.models.regimes import Start
from pfactor_bench.training.fast.rewrite import Masks, rewritten
from pfactor_bench.training.inputs import Features

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pfactor_bench.training.fast.members import Member
    from pfactor_bench.training.inputs import Inputs, NormalisedWindows

_BATCH = 1024


def head_features(
    members: Sequence[Member], windows: NormalisedWindows
) -> tuple[list[Member], Inputs]:
    """Return members and what they see, with all that is frozen before the head computed already.

    Parameters
    ----------
    members
        Of one regime. Where more than the head trains, they are returned as they are.
    windows
        Of the cohort.

    Returns
    -------
    tuple
        Members whose models are the heads of the given ones, and what these heads take.
    """
    if not only_head_trains(members[0].start):
        return list(members), windows
    known: dict[str, int] = {}
    sources: list[int] = []
    features: list[torch.Tensor] = []
    for member in members:
        key = _frozen_key(member.start)
        if key not in known:
            known[key] = len(features)
            features.append(features_of(member.start, windows))
        sources.append(known[key])
    heads = [
        replace(member, start=Start(model=member.start.trained[0], trained=member.start.trained))
        for member in members
    ]
    encoder = torch.tensor(sources, device=windows.device)[:, None]
    return heads, Features(X=torch.stack(features), encoder=encoder)


def only_head_trains(start: Start) -> bool:
    """Return whether one part trains, and the model is more than that."""
    return len(start.trained) == 1 and start.trained[0] is not start.model


def features_of(start: Start, windows: NormalisedWindows) -> torch.Tensor:
    """Return what reaches the head for each window, shape ``(n_windows, n_features…)``.

    Raises
    ------
    ModelError
        If something else than one tensor reaches it.
    """
    caught: list[torch.Tensor] = []

    def catch(_head: nn.Module, inputs: tuple[Any, ...]) -> None:
        if len(inputs) != 1 or not isinstance(inputs[0], torch.Tensor):
            raise ModelError("its head is not given one tensor by position")
        caught.append(inputs[0])

    start.model.eval()
    handle = start.trained[0].register_forward_pre_hook(catch)
    try:
        with torch.no_grad(), rewritten(start.model, Masks()):
            for part in windows.parts(_BATCH):
                start.model(part)
    finally:
        handle.remove()
    return torch.cat(caught)


def _frozen_key(start: Start) -> str:
    """Return a hash of all that is frozen: seeds share an encoder, folds may not."""
    import hashlib

    trained = {id(one) for one in (*start.trained[0].parameters(), *start.trained[0].buffers())}
    combined = hashlib.sha256()
    for tensor in (*start.model.parameters(), *start.model.buffers()):
        if id(tensor) not in trained:
            combined.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return combined.hexdigest()
