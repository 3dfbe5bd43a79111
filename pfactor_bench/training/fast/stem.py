"""The first layers of many EEG models, computed as one convolution in a better memory layout.

EEGConformer, ShallowFBCSPNet and Deep4Net filter every channel over time and then mix channels,
with nothing in between: two linear maps, and so one, with a third of the work. What follows
(normalisation, activation, pooling) runs twice as fast on a CPU where a sample's filters lie side
by side, not a filter's samples.

References
----------
Schirrmeister et al. 2017, doi:10.1002/hbm.23730; Song et al. 2023, doi:10.1109/TNSRE.2022.3230250.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from braindecode.modules import CombinedConv
from torch import nn
from torch.nn import functional
from torch.nn.modules.dropout import _DropoutNd

from pfactor_bench.training.fast.each import each_model


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Stem:
    """Layers that follow each other: two convolutions, perhaps a normalisation, and the rest.

    Parameters
    ----------
    first, last
        Their positions in the Sequential that holds them, the last excluded.
    over_time, over_channels
        The convolutions.
    norm
        The normalisation after them, if there is one.
    rest
        Activations and poolings: layers without parameters.
    channels_last
        Whether windows come as ``(n_windows, 1, n_times, n_chans)`` instead of
        ``(n_windows, 1, n_chans, n_times)``.
    """

    first: int
    last: int
    over_time: nn.Conv2d
    over_channels: nn.Conv2d
    norm: nn.BatchNorm2d | None
    rest: tuple[nn.Module, ...]
    channels_last: bool

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return what the layers return for windows `x`."""
        norm = self.norm
        parts = [self.over_time.weight, self.over_time.bias]
        parts += [self.over_channels.weight, self.over_channels.bias]
        if norm is None:
            return self._for_each(x, parts)
        if norm.training and norm.num_batches_tracked is not None:
            norm.num_batches_tracked.add_(1)
        parts += [norm.weight, norm.bias, norm.running_mean, norm.running_var]
        return self._for_each(x, parts)

    def _for_each(self, x: torch.Tensor, parts: Sequence[torch.Tensor | None]) -> torch.Tensor:
        # With a sample's filters side by side, so that the gradients come back like that.
        return each_model(self._compute, x, *parts).permute(0, 3, 1, 2)

    def _compute(self, x: torch.Tensor, *parts: torch.Tensor | None) -> torch.Tensor:
        """Return the layers' output for one model."""
        time_weight, time_bias, channel_weight, channel_bias = parts[:4]
        assert time_weight is not None and channel_weight is not None  # noqa: S101, PT018
        merged, bias = merge_kernels(time_weight, time_bias, channel_weight, channel_bias)
        # The axis over channels becomes the convolution's input channels.
        along = x.permute(0, 3, 2, 1) if self.channels_last else x.transpose(1, 2)
        kernel = merged.unsqueeze(3 if self.channels_last else 2)
        if bias is not None and self.norm is not None and self.norm.training:
            # Batch statistics take it away again: its gradient is 0, and what rounding leaves of
            # that would be blown up by AdamW to steps of full size.
            bias = bias.detach()
        h = functional.conv2d(
            along.contiguous(memory_format=torch.channels_last),
            kernel.contiguous(memory_format=torch.channels_last),
            bias,
        )
        if self.norm is not None:
            weight, shift, mean, variance = parts[4:]
            of_batch = self.norm.training or mean is None
            h = functional.batch_norm(
                h, mean, variance, weight, shift, of_batch, self.norm.momentum or 0, self.norm.eps
            )
        for layer in self.rest:
            # Not by calling it: for now its own forward hands through what it gets.
            h = type(layer).forward(layer, h)
        return h.permute(0, 2, 3, 1)


def read_stem(layers: Sequence[nn.Module]) -> Stem | None:
    """Return the stem among layers that follow each other, None where there is none."""
    for position, layer in enumerate(layers):
        if isinstance(layer, CombinedConv):
            pair, after = (layer.conv_time, layer.conv_spat), position + 1
        elif position + 1 < len(layers) and _is_pair(layer, layers[position + 1]):
            pair, after = (layer, layers[position + 1]), position + 2
        else:
            continue
        norm = layers[after] if after < len(layers) and _is_norm(layers[after]) else None
        end = begin = after + (norm is not None)
        while end < len(layers) and _is_fixed(layers[end]):
            end += 1
        return Stem(
            first=position,
            last=end,
            over_time=pair[0],
            over_channels=pair[1],
            norm=norm if isinstance(norm, nn.BatchNorm2d) else None,
            rest=tuple(layers[begin:end]),
            channels_last=isinstance(layer, CombinedConv),
        )
    return None


def merge_kernels(
    time_weight: torch.Tensor,
    time_bias: torch.Tensor | None,
    channel_weight: torch.Tensor,
    channel_bias: torch.Tensor | None,
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Return the one convolution that equals two, differentiable in the parameters of both.

    Parameters
    ----------
    time_weight, time_bias
        Of the convolution over time; one input channel.
    channel_weight, channel_bias
        Of the one over channels.

    Returns
    -------
    tuple
        ``W[o, c, k] = Σ_f W2[o, f, c] · W1[f, k]``, shape ``(n_filters, n_chans, n_samples)``, and
        the bias, if there is one.
    """
    spatial = channel_weight.flatten(2)
    merged = spatial.transpose(1, 2) @ time_weight.flatten(1)
    if time_bias is None:
        return merged, channel_bias
    bias = spatial.sum(2) @ time_bias
    return merged, bias if channel_bias is None else bias + channel_bias


def _is_pair(first: Any, second: Any) -> bool:  # noqa: ANN401 - whether they are is the question
    return (
        _is_plain_convolution(first)
        and _is_plain_convolution(second)
        and first.in_channels == 1
        and first.kernel_size[0] == 1
        and second.kernel_size[1] == 1
    )


def _is_plain_convolution(layer: nn.Module) -> bool:

    return (
        type(layer) is nn.Conv2d
        and layer.stride == layer.dilation == (1, 1)
        and layer.padding in {(0, 0), "valid"}
        and layer.groups == 1
    )


def _is_norm(layer: nn.Module) -> bool:

    return type(layer) is nn.BatchNorm2d and layer.momentum is not None


def _is_fixed(layer: nn.Module) -> bool:
    """Return whether a layer is a function of its input alone."""
    has_state = any(True for _ in (*layer.parameters(), *layer.buffers()))
    return not has_state and not any(isinstance(one, _DropoutNd) for one in layer.modules())
