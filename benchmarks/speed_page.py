"""The page and the figure of benchmarks/speed.py: a pure function of what it measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_NAMES = {
    "plain": "plain loop",
    "plain, kept": "plain loop, freed memory kept",
    "skorch": "braindecode `EEGRegressor` (skorch)",
    "lightning": "Lightning `Trainer`",
}


def write_page(results: dict[str, Any], out: Path) -> None:
    """Write speed.md and speed.svg."""
    (out / "speed.md").write_text(page(results), encoding="utf-8")
    draw(results, out / "speed.svg")


def page(results: dict[str, Any]) -> str:
    """Return the page."""
    machine, many, cold = results["machine"], results["many_models"], results["cold"]
    plain, fast = results["memory"]["plain"], results["memory"]["fast"]
    permuted, skill = results["permutations"], results["same_skill"]
    roof, one = results["roofline"], results["one_model"]
    rows = "\n".join(
        f"| {_name(name)} | {row['step_ms']:.1f} ± {row['spread_ms']:.1f} | {row['faster']:.2f} × "
        f"| {row['faster_than_kept']:.2f} × |"
        for name, row in one.items()
    )
    low, high = many["faster_quartiles"]
    quartiles = f"quartiles {low:.1f} to {high:.1f}"
    return f"""# Speed

Written by `python benchmarks/speed.py`; what is compared was measured in one run. The case study's
EEGConformer (154,953 parameters, windows of 8 channels × 200 samples, batches of 32) on
{machine["processor"]}, {machine["cores"]} cores, {machine["instructions"]}, torch
{machine["torch"]}; one thread per process; load average at the start {machine["load"]:.1f}. What is
compared took turns in {results["rounds"]} rounds; ratios are medians over rounds, round against
round.

![Time of a step per model, by what trains it](speed.svg)

## One core

| | ms a step and model (median ± interquartile range) | against the plain loop | \
against it with freed memory kept |
|---|---|---|---|
{rows}

Each has a process of its own. A loop over batches frees and takes its activations in every step,
and glibc gives large blocks back to the system: a good part of the plain loop's time goes to
getting them again. With `MALLOC_MMAP_THRESHOLD_={2**30}` and `MALLOC_TRIM_THRESHOLD_={2**32}`
in its environment a process keeps them, and the plain loop is {one["plain, kept"]["faster"]:.1f} ×
as fast; the fast engine's blocks are small enough to be kept anyway.

## 16 models × 4 epochs

| | plain loop | fast engine | faster |
|---|---|---|---|
| warm: workers have imported torch | {many["plain_seconds"]:.1f} s, one process | \
{many["fast_seconds"]:.1f} s, two processes | {many["faster"]:.1f} × ({quartiles}) |
| cold: from process start to record | {cold["plain_seconds"]:.0f} s | \
{cold["fast_seconds"]:.0f} s | {cold["faster"]:.1f} × |
| peak memory per process | {plain["peak"]:.0f} MB | {fast["peak"]:.0f} MB | \
{fast["peak"] / plain["peak"]:.2f} × as much |
| of that, above imports and cohort | {plain["peak"] - plain["before"]:.0f} MB | \
{fast["peak"] - fast["before"]:.0f} MB | \
{(fast["peak"] - fast["before"]) / (plain["peak"] - plain["before"]):.2f} × as much |

## Permutations of the targets among subjects, one core

| | seconds |
|---|---|
| 1,000 of a linear probe, in closed form | {permuted["probe_seconds"]:.1f} |
| 200 of training from scratch, 4 epochs | {permuted["scratch_seconds"]:.0f} |

## Is it the same?

With the same random draws the fast engine's training curves are the plain loop's within 0.001, and
in double precision so are its predictions (`tests/test_fast_engine.py`). With its own draws, over
{skill["n"]} seeds each, the final held-out error is {skill["means"][0]:.3f} ± {skill["sds"][0]:.3f}
(plain) and {skill["means"][1]:.3f} ± {skill["sds"][1]:.3f} (fast): p = {skill["ks_p"]:.2f}
(Kolmogorov–Smirnov), {skill["mann_whitney_p"]:.2f} (Mann–Whitney).

## How far from the machine's limit

One core multiplies matrices of 1024 × 1024 at {roof["gflops_per_second"]:.0f} GFLOP/s and copies
memory at {roof["gbytes_per_second"]:.1f} GB/s. Products and convolutions of a step are
{roof["step_mflop"]["plain"]:.0f} MFLOP in the plain loop ({roof["floor_ms"]["plain"]:.1f} ms at
that rate) and {roof["step_mflop"]["fast"]:.0f} MFLOP with the merged stem
({roof["floor_ms"]["fast"]:.1f} ms); windows, weights, gradients and moments have to be moved at
least once ({roof["bytes_ms"]:.1f} ms). The rest of a step goes to activations,
normalisation, dropout and the dispatch of small operations.

Nothing was measured on a GPU; `python benchmarks/speed_gpu.py` does that on a machine that has one.
"""


def draw(results: dict[str, Any], path: Path) -> None:
    """Draw a bar for each way to train."""
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt

    one = results["one_model"]
    floor = results["roofline"]["floor_ms"]["fast"]
    with plt.rc_context({"svg.hashsalt": "speed", "svg.fonttype": "none"}):
        figure, axes = plt.subplots(figsize=(7, 3.2), layout="constrained")
        order = sorted(one, key=lambda name: -one[name]["step_ms"])
        axes.barh(
            [_name(name).replace("`", "") for name in order],
            [one[name]["step_ms"] for name in order],
            xerr=[one[name]["spread_ms"] / 2 for name in order],
            color=["#4c72b0" if name.startswith("fast") else "#b0b0b0" for name in order],
        )
        axes.axvline(floor, color="black", linestyle=":", label="its arithmetic at full speed")
        axes.set_xlabel("ms a step and model, one core")
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, loc="upper right")
        figure.savefig(path, metadata={"Date": None})
        plt.close(figure)


def _name(name: str) -> str:
    if name.startswith("fast, "):
        n = name.removeprefix("fast, ")
        return f"fast engine, {n} model{'s' if n != '1' else ''} at once"
    return _NAMES[name]
