"""The case study as one plain script, without any of this project: what it is measured against.

It makes the same cohort, trains the same models and draws a figure of the same three panels.
``benchmarks/overhead.py`` times it against ``pfactor-bench run``; a test compares the numbers.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np

N_SUBJECTS, N_WINDOWS, N_CHANS, N_TIMES, SFREQ = 18, 24, 8, 200, 100.0
N_HELD_OUT, SEEDS, EPOCHS, BATCH = 4, (42, 43), 4, 32


def make_windows() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return windows, the target of each, and the number of its subject."""
    rng = np.random.default_rng(42)
    targets = rng.normal(0.0, 1.0, size=N_SUBJECTS)
    wave = np.sin(2 * np.pi * 10.0 * np.arange(N_TIMES) / SFREQ).astype(np.float32)
    windows = []
    for number, target in enumerate(targets):
        for _ in range(N_WINDOWS):
            window = rng.standard_normal((N_CHANS, N_TIMES)).astype(np.float32)
            rhythm = 0.30 * float(target) * wave
            window[1] += rhythm
            window[2] += 0.85 * rhythm
            windows.append(window + np.float32(0.10 * (number - N_SUBJECTS / 2)))
    owners = np.repeat(np.arange(N_SUBJECTS), N_WINDOWS)
    return np.stack(windows), targets[owners].astype(np.float32), owners


def zscore(x):
    """Normalise each channel of each window."""
    return (x - x.mean(2, keepdim=True)) / (x.std(2, keepdim=True) + 1e-6)


def train(seed: int, X, y, X_val, y_val):
    """Train one model; return it, its last held-out predictions and its curves."""
    import torch
    from braindecode.models import EEGConformer

    torch.manual_seed(seed)
    model = EEGConformer(
        n_chans=N_CHANS,
        n_outputs=1,
        n_times=N_TIMES,
        sfreq=SFREQ,
        num_layers=3,
        num_heads=4,
        final_fc_length="auto",
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=1e-3)
    curves = {"train_mse": [], "val_mse": [], "val_r": []}
    for _ in range(EPOCHS):
        model.train()
        total = 0.0
        order = torch.randperm(len(X))
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            optimizer.zero_grad()
            loss = torch.nn.functional.mse_loss(model(zscore(X[rows])).squeeze(-1), y[rows])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        model.eval()
        with torch.no_grad():
            predicted = model(zscore(X_val)).squeeze(-1).numpy()
        curves["train_mse"].append(total / len(X))
        curves["val_mse"].append(float(((predicted - y_val.numpy()) ** 2).mean()))
        curves["val_r"].append(float(np.corrcoef(predicted, y_val.numpy())[0, 1]))
    return model, predicted, curves


def main(folder: Path) -> dict[int, dict[str, list[float]]]:
    """Do all of it, and leave ``figure.png`` and ``figure.svg`` in `folder`."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt
    import torch

    X, y, owners = make_windows()
    held_out = owners >= N_SUBJECTS - N_HELD_OUT
    tensors = [torch.from_numpy(a) for a in (X[~held_out], y[~held_out], X[held_out], y[held_out])]
    all_curves = {}
    for seed in SEEDS:
        model, predicted, all_curves[seed] = train(seed, *tensors)
    windows = tensors[2].clone().requires_grad_()
    model(zscore(windows)).sum().backward()
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(14, 5))
    for name in ("train_mse", "val_mse", "val_r"):
        left.plot(np.mean([curves[name] for curves in all_curves.values()], axis=0), label=name)
    left.legend()
    subjects = owners[held_out]
    middle.scatter(
        [y[held_out][subjects == one].mean() for one in np.unique(subjects)],
        [predicted[subjects == one].mean() for one in np.unique(subjects)],
    )
    figure.colorbar(right.imshow(windows.grad.abs().mean(0).numpy(), aspect="auto"), ax=right)
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / "figure.png", dpi=200)
    figure.savefig(folder / "figure.svg")
    return all_curves


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    for seed, curves in main(Path(sys.argv[1])).items():
        print(seed, {name: round(values[-1], 3) for name, values in curves.items()})
