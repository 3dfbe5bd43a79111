"""Write ``docs/scale.md`` and ``docs/scale.svg`` from what was measured.

Reads ``docs/scale.json`` (``benchmarks/scale.py``) and ``docs/preparation.json``
(``benchmarks/preparation.py``)::

    python benchmarks/scale_page.py
"""

from __future__ import annotations

import json
from pathlib import Path

from tabulate import tabulate

DOCS = Path(__file__).parents[1] / "docs"

_PAGE = """\
# Cohorts that outgrow memory

All of HBN is 3,155 subjects and 2 TB. Its resting windows, eight channels at 100 Hz, are 3 GB: too much
to hold twice, too long to prepare twice. Measured on {machine}; times vary with the machine and what
else it does, ratios less.

## How windows are kept

Each recording is prepared once and becomes an entry of the windows store
(`--store DIR`, `PFACTOR_BENCH_STORE`; for the `hbn` cohort `~/.cache/pfactor-bench/windows` unless
named). An entry's name is a hash over the recording's bytes, the sidecars that decide what is made of
it, channels, rate, filter, window, events, MNE's version and a code version, so an entry is never out
of date. It is written aside and moved to its place in one step; a lock per entry keeps two processes
from doing one recording twice, and a killed process leaves nothing but finished entries. Its sha256 is
compared whenever it is read: an entry with flipped bytes is prepared anew and named in the cohort's
notes. A cohort's entries are joined to one file, which is mapped, not read; that doubles the room on
disk (6 GB for all of HBN).

Training, checks, features and fingerprints go through a mapped cohort in blocks and let go of what they
have seen. The plain training loop reads batch by batch, and so does the `fast` engine where windows
take more than 512 MB. Audits that change signals copy a cohort, which has to fit in memory.

### npy or zarr

Entries of 150 windows of 8 channels × 200 samples, written and read:

{formats}

Plain `.npy` is used: it can be mapped, so that training draws windows without reading chunks around
them. `arrays` reads zarr, too.

## Size

Synthetic EEG-like windows (1/f and alpha, 1-30 Hz, shared topographies), 150 a subject, with 200
near-duplicates of each form injected under other subjects' names (`benchmarks/scale.py`). *Open* reads
every byte twice, for the store's checksum and the cohort's fingerprint; *batches* goes once through the
training windows of one of five folds in random batches of 32; *static checks* are all checks that need
the cohort and its split alone, exact duplicates among them.

![Time and peak memory by number of subjects](scale.svg)

{sizes}

Growth is linear where the time per subject does not rise; per subject, in milliseconds:

{per_subject}

## Near-duplicates

Found of those injected, and pairs found that were not injected:

{near}

## Preparing recordings

Medians of interleaved runs without imports and the start of processes (`benchmarks/preparation.py`).
The plain calls are the case study's: `EEGDashDataset`, `preprocess`, `create_fixed_length_windows`.

{preparation}

## What goes wrong

Each of these is a test: SIGKILL in the middle and resuming without rework or loss, two processes at
once, a full disk, an entry with flipped bytes, a joined file with flipped bytes (`tests/test_windows_store.py`);
a truncated `.set`, a dangling link, a download that fails for good (`tests/hbn`); an
empty EDF, one that is cut short (`tests/test_cohorts_bids.py`). Each names the file and what to do.

## Repeat it

```sh
python benchmarks/scale.py --folder DIR          # 7 GB of room
python benchmarks/preparation.py --data DIR --folder DIR
python benchmarks/scale_page.py
```
"""  # noqa: E501 - lines of a page


#: Stands in the place of a table whose benchmark was not run.
_NOT_MEASURED = (
    "Not measured here: run `benchmarks/preparation.py`, then `benchmarks/scale_page.py`."
)


def page(scale: dict[str, dict], preparation: dict[str, dict] | None) -> str:
    """Return the page; without `preparation`, its tables say how to fill them."""
    subjects = list(scale)
    return _PAGE.format(
        machine=preparation["machine"] if preparation else "2 cores that others used as well",
        formats=_formats(preparation["store"]) if preparation else _NOT_MEASURED,
        sizes=_table(
            (
                "subjects",
                "open, s",
                "split, s",
                "batches, s",
                "peak, GB",
                "static checks, s",
                "near-duplicates, s",
                "peak, GB",
            ),
            [_sizes(n_subjects, scale[n_subjects]) for n_subjects in subjects],
        ),
        per_subject=_table(
            ("subjects", *(name.replace("_", " ") for name in _seconds(scale[subjects[0]]))),
            [
                (
                    f"{int(n_subjects):,}",
                    *(
                        f"{1e3 * value / int(n_subjects):.1f}"
                        for value in _seconds(scale[n_subjects]).values()
                    ),
                )
                for n_subjects in subjects
            ],
        ),
        near=_table(
            ("subjects", *scale[subjects[0]]["near"]["found"], "false pairs"),
            [_near(n_subjects, scale[n_subjects]["near"]) for n_subjects in subjects],
        ),
        preparation=_preparation(preparation) if preparation else _NOT_MEASURED,
    )


def draw(scale: dict[str, dict]):
    """Return the figure: time and peak memory by number of subjects."""
    from matplotlib.figure import Figure

    subjects = [int(n_subjects) for n_subjects in scale]
    figure = Figure(figsize=(8.6, 3.4), layout="constrained")
    times, memory = figure.subplots(1, 2)
    names = list(_seconds(scale[str(subjects[0])]))
    for name, color in zip(names, ("#0072B2", "#009E73", "#E69F00", "#D55E00"), strict=True):
        seconds = [_seconds(scale[str(n)])[name] for n in subjects]
        times.plot(subjects, seconds, "o-", color=color, label=name.replace("_", " "))
        times.plot(subjects, [seconds[0] * n / subjects[0] for n in subjects], ":", color=color)
    times.set(xscale="log", yscale="log", xlabel="subjects", ylabel="seconds (dotted: linear)")
    times.legend(frameon=False, fontsize=8)
    for work, color in (("open", "#0072B2"), ("static", "#E69F00"), ("near", "#D55E00")):
        peaks = [scale[str(n)][work]["peak_bytes"] / 1e9 for n in subjects]
        memory.plot(subjects, peaks, "o-", color=color, label=work)
    memory.plot(
        subjects, [n * 150 * 8 * 200 * 4 / 1e9 for n in subjects], ":k", label="the windows"
    )
    memory.axhline(1.5, color="0.6", linewidth=0.8)
    memory.set(xscale="log", xlabel="subjects", ylabel="peak memory, GB", ylim=(0, 3.3))
    memory.legend(frameon=False, fontsize=8)
    for axes in (times, memory):
        axes.set_xticks(subjects, [f"{n:,}" for n in subjects])
        axes.minorticks_off()
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def _formats(store: dict[str, dict]) -> str:
    times = ("write_ms", "read_ms", "one_window_ms")
    return _table(
        ("", "write, ms", "read, ms", "one window, ms", "MB on disk"),
        [
            (kind, *(f"{row[key]:.1f}" for key in times), f"{row['megabytes']:.0f}")
            for kind, row in store.items()
        ],
    )


def _preparation(preparation: dict[str, dict]) -> str:
    return _table(
        ("", "slower, s", "faster, s", "ratio", "largest difference"),
        [
            _compared("EEGMAT: plain calls, `eegmat` cohort", preparation["eegmat"]),
            _compared("129 channels: picked last, first", preparation["129 channels"]),
        ],
    )


def _seconds(one: dict) -> dict[str, float]:
    return {
        "open": one["open"]["seconds"]["open"],
        "batches": one["open"]["seconds"]["batches"],
        "static_checks": sum(one["static"]["seconds"].values()),
        "near-duplicates": one["near"]["seconds"]["near"],
    }


def _sizes(n_subjects: str, one: dict) -> tuple[str, ...]:
    seconds = _seconds(one)
    checks = max(one["static"]["peak_bytes"], one["near"]["peak_bytes"])
    return (
        f"{int(n_subjects):,}",
        f"{seconds['open']:.1f}",
        f"{one['open']['seconds']['split']:.1f}",
        f"{seconds['batches']:.1f}",
        f"{one['open']['peak_bytes'] / 1e9:.2f}",
        f"{seconds['static_checks']:.1f}",
        f"{seconds['near-duplicates']:.0f}",
        f"{checks / 1e9:.2f}",
    )


def _near(n_subjects: str, one: dict) -> tuple[str, ...]:
    found = [f"{hits} of {one['injected'][form]}" for form, hits in one["found"].items()]
    return (f"{int(n_subjects):,}", *found, str(one["false_pairs"]))


def _compared(name: str, one: dict) -> tuple[str, ...]:
    slow, fast = one["seconds"].values()
    return (name, f"{slow:.2f}", f"{fast:.2f}", f"{one['ratio']:.1f}", f"{one['difference']:.0e}")


def _table(headers: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    aligned = ("left", *["right"] * (len(headers) - 1))
    return tabulate(
        rows, headers=headers, tablefmt="github", disable_numparse=True, colalign=aligned
    )


def main() -> None:
    """Write both files."""
    import matplotlib as mpl

    mpl.rcParams.update({"svg.hashsalt": "pfactor-bench", "font.size": 9})
    scale = json.loads((DOCS / "scale.json").read_text(encoding="utf-8"))
    measured = DOCS / "preparation.json"
    preparation = json.loads(measured.read_text("utf-8")) if measured.exists() else None
    (DOCS / "scale.md").write_text(page(scale, preparation), encoding="utf-8")
    draw(scale).savefig(DOCS / "scale.svg", metadata={"Date": None, "Creator": None})


if __name__ == "__main__":
    main()
