"""Time the engines on a GPU: many models at once against the plain loop, and a seed's time there.

    python benchmarks/speed_gpu.py [--models 256] [--rounds 5] [--out reports/speed]

writes speed.json, speed.md and speed.svg into a folder named after the GPU. Where torch finds none,
it says so and writes nothing; with --device cpu --models 2 it shows that it runs. Every device is
waited for before a clock is read, and what is compared takes turns.
"""

from __future__ import annotations

import argparse
import json
import re
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from clock import take_turns
from speed_works import cases, prepared
from tqdm import tqdm

from pfactor_bench.training.device import synchronize
from pfactor_bench.training.engine import run_group
from pfactor_bench.types import EngineChoice

if TYPE_CHECKING:
    from collections.abc import Sequence

PLAIN = EngineChoice(kind="plain")

FAST = EngineChoice(kind="fast")

#: The plain loop trains one model after another, so a few tell its rate.
PLAIN_MODELS = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """Training the case study's model from several seeds.

    Parameters
    ----------
    engine, device, n_models, epochs
        How, where, from how many seeds, for how long.
    """

    engine: EngineChoice
    device: torch.device
    n_models: int
    epochs: int

    def __call__(self) -> dict[Any, Any]:
        """Train, and wait until it is done."""
        it = prepared()
        found = run_group(
            self.engine,
            cases(self.n_models),
            it.cohort,
            it.split,
            replace(it.suite.budget, epochs=self.epochs),
            device=self.device,
        )
        synchronize(self.device)
        return found


def at_once(device: torch.device, n_models: int, *, rounds: int, epochs: int) -> dict[str, Any]:
    """Return models per second of both engines, and by what factor each beats the plain loop."""
    make = partial(Work, device=device, epochs=epochs)
    works = {
        "plain": make(engine=PLAIN, n_models=min(n_models, PLAIN_MODELS)),
        "fast": make(engine=FAST, n_models=n_models),
    }
    with tqdm(total=rounds, desc=f"{n_models} models on {device}") as bar:
        timed = take_turns(
            works, rounds=rounds, synchronize=partial(synchronize, device), on_round=bar.update
        )
    plain = works["plain"].n_models
    found = {}
    for name, one in timed.items():
        n = works[name].n_models
        how = next(iter(replace(works[name], n_models=1)().values())).trained_by
        found[name] = {
            "models_per_second": n / one.median,
            "spread": n * one.spread / one.median**2,
            "faster": one.times_faster_than(timed["plain"]).median * n / plain,
            "fallback": how.fallback,
        }
    return found


def alone(
    devices: Sequence[torch.device], *, rounds: int, epochs: int
) -> dict[str, dict[str, float]]:
    """Return the seconds that one model takes alone, by engine and device; devices take turns.

    ``suites/test_timing.py`` times every seed of any suite by device.
    """
    found: dict[str, dict[str, float]] = {}
    for name, engine in {"plain": PLAIN, "fast": FAST}.items():
        works = {
            str(one): Work(engine=engine, device=one, n_models=1, epochs=epochs) for one in devices
        }
        with tqdm(total=rounds, desc=f"{name}, one model") as bar:
            timed = take_turns(works, rounds=rounds, on_round=bar.update)
        found[name] = {where: one.median for where, one in timed.items()}
    return found


def page(results: dict[str, Any]) -> str:
    """Return the page."""
    rows = "\n".join(_row(name, row) for name, row in results["at_once"].items())
    devices = list(results["alone"]["plain"])
    seeds = "\n".join(
        f"| {name} | {' | '.join(f'{row[one]:.3g} s' for one in devices)} |"
        for name, row in results["alone"].items()
    )
    return f"""# Speed on {results["machine"]}

Written by `python benchmarks/speed_gpu.py`; every number comes from that run. The case study's
EEGConformer for {results["epochs"]} epochs, torch {results["torch"]}; medians over
{results["rounds"]} rounds in which what is compared took turns.

![Models per second, by what trains them](speed.svg)

## {results["n_models"]} models at once

| | models a second (median ± interquartile range) | against the plain loop there |
|---|---|---|
{rows}

## One model alone

| | {" | ".join(devices)} |
|---|{"---|" * len(devices)}
{seeds}
"""


def _row(name: str, row: dict[str, Any]) -> str:
    cells = [
        name,
        f"{row['models_per_second']:.3g} ± {row['spread']:.2g}",
        f"{row['faster']:.2f} ×",
    ]
    return f"| {' | '.join(cells)} |"


def draw(results: dict[str, Any], path: Path) -> None:
    """Draw a bar for each way to train."""
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt

    rows = results["at_once"]
    with plt.rc_context({"svg.hashsalt": "speed", "svg.fonttype": "none"}):
        figure, axes = plt.subplots(figsize=(7, 0.7 + 0.4 * len(rows)), layout="constrained")
        axes.barh(
            list(rows)[::-1],
            [row["models_per_second"] for row in rows.values()][::-1],
            color=["#4c72b0" if name != "plain" else "#b0b0b0" for name in rows][::-1],
        )
        axes.set(xscale="log", xlabel=f"models a second on {results['machine']}")
        axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(path, metadata={"Date": None})
        plt.close(figure)


def measure(device: torch.device, *, n_models: int, rounds: int, epochs: int) -> dict[str, Any]:
    """Return everything that the page says."""
    is_gpu = device.type == "cuda"
    devices = [torch.device("cpu"), device] if is_gpu else [device]
    return {
        "machine": torch.cuda.get_device_name(device) if is_gpu else "a CPU",
        "torch": torch.__version__,
        "n_models": n_models,
        "rounds": rounds,
        "epochs": epochs,
        "at_once": at_once(device, n_models, rounds=rounds, epochs=epochs),
        "alone": alone(devices, rounds=rounds, epochs=epochs),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write, or say why not."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--models", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--out", type=Path, default=Path("reports/speed"))
    options = parser.parse_args(arguments)
    if options.device == "cuda" and not torch.cuda.is_available():
        print("skipped: torch finds no CUDA device on this machine; nothing was measured")
        return 0
    results = measure(
        torch.device(options.device),
        n_models=options.models,
        rounds=options.rounds,
        epochs=options.epochs,
    )
    folder = options.out / re.sub(r"[^a-z0-9]+", "-", results["machine"].lower()).strip("-")
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(results, indent=1) + "\n"
    (folder / "speed.json").write_text(text, encoding="utf-8")
    (folder / "speed.md").write_text(page(results), encoding="utf-8")
    draw(results, folder / "speed.svg")
    print(folder / "speed.md")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
