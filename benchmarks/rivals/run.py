"""Run another leakage tool on exported scenes, and put the table together.

    TOOLS_OWN/bin/python benchmarks/rivals/run.py FOLDER TOOL [--minutes 4]
    python benchmarks/rivals/run.py FOLDER --to reports/detection/rivals.json

The first runs one tool in its own environment (``requirements.txt`` says which) on the scenes that
it has not been run on, and keeps what it said in FOLDER/said, so that a run that is stopped goes
on. The second writes the table of all tools from what they said.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from importlib.metadata import version
from pathlib import Path

import numpy as np
from tools import TOOLS, NotApplicableError

HOW = (
    "Every tool was run, in an environment of its own, on {injected} injected leaks ({leaks} leaks "
    "at full severity in {hosts}, where they can be injected and change anything) and on clean "
    "studies of ridge, forest and kNN from the list above. They are given what they document as "
    "input, of the first fold: band power instead of signals. A tool finds a leak here if it "
    "accuses the study of anything at all, so that one that accuses clean studies as well finds "
    "leaks by chance; what it does not know is missed. Their authors might set them up better."
)


def main() -> None:
    """Run a tool, or write the table."""
    options = _parser().parse_args()
    if options.to is not None:
        text = json.dumps(table_of(options.folder), indent=1, ensure_ascii=False) + "\n"
        options.to.write_text(text, encoding="utf-8")
        print(text)
    elif options.tool is None:
        raise SystemExit("name a TOOL to run, or where to write the table with --to")
    else:
        run_tool(options.tool, options.folder, 60 * options.minutes)


def run_tool(name: str, folder: Path, seconds: float) -> None:
    """Run a tool on the scenes that it has not been run on, a line each."""
    out = folder / "said" / f"{name}.jsonl"
    out.parent.mkdir(exist_ok=True)
    done = {row["scene"] for row in read_rows(out)}
    began = time.monotonic()
    waiting = [path for path in sorted(folder.glob("*.npz")) if path.stem not in done]
    _end_line(out)
    with out.open("a", encoding="utf-8") as stream:
        for number, path in enumerate(waiting):
            if time.monotonic() - began > seconds:
                print(f"{name}: {len(waiting) - number} scenes are left")
                return
            if (row := _judge(name, path)) is not None:
                stream.write(json.dumps(row) + "\n")
                stream.flush()
    print(f"{name}: all scenes are done")


def _judge(name: str, path: Path) -> dict[str, object] | None:
    """Return what a tool said about a scene; None if nothing is injected that changes anything."""
    scene = dict(np.load(path))
    if not scene["there"]:
        return None
    tool = TOOLS[name]
    row = {"scene": path.stem, "kind": int(scene["kind"]), "version": version(tool.package)}
    if tool.package == "Leakly" and not scene["kind"] and not len(scene["permuted_r"]):
        return None
    try:
        accused = tool.accuses(scene)
    except NotApplicableError as error:
        return {**row, "said": "not applicable", "why": str(error)}
    except Exception as error:  # noqa: BLE001 - what a tool cannot take is a result
        return {**row, "said": "not applicable", "why": f"{type(error).__name__}: {error}"[:160]}
    return {**row, "said": "accused" if accused else "nothing", "why": accused}


def _end_line(path: Path) -> None:
    """End a line that a kill cut short, so that the next one stands by itself."""
    if path.exists() and not path.read_bytes().endswith(b"\n"):
        with path.open("a", encoding="utf-8") as stream:
            stream.write("\n")


def read_rows(path: Path) -> list[dict[str, object]]:
    """Return what a tool has said so far."""
    if not path.exists():
        return []
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            rows.append(json.loads(line))
        except ValueError:  # a line that was cut short is run again
            continue
    return list({row["scene"]: row for row in rows}.values())


def table_of(folder: Path) -> dict[str, object]:
    """Return the record of all tools: how they were run, and a row each."""
    scenes = [dict(np.load(path)) for path in sorted(folder.glob("*.npz"))]
    injected = [one for one in scenes if one["kind"] and one["there"]]
    hosts = sorted({_host(one) for one in injected})
    how = HOW.format(
        injected=len(injected),
        leaks=len({str(one["leak"]) for one in injected}),
        hosts=f"{len(hosts)} studies: {', '.join(hosts)}",
    )
    tools = [_row(name, read_rows(folder / "said" / f"{name}.jsonl")) for name in TOOLS]
    return {"how": how, "tools": [row for row in tools if row is not None]}


def _host(scene: dict[str, np.ndarray]) -> str:
    recipe = json.loads(str(scene["recipe"]))
    return f"{recipe['family']} on {recipe['cohort']} {recipe['cohort_seed']}"


def _row(name: str, rows: list[dict[str, object]]) -> dict[str, object] | None:
    if not rows:
        return None
    tool = TOOLS[name]
    injected = [row for row in rows if row["kind"]]
    clean = [row for row in rows if not row["kind"]]
    said = Counter(row["said"] for row in injected)
    judged = [row for row in clean if row["said"] != "not applicable"]
    reasons = Counter(row["why"] for row in rows if row["said"] == "not applicable")
    return {
        "tool": name,
        "version": rows[0]["version"],
        "found": said["accused"],
        "missed": said["nothing"],
        "not_applicable": said["not applicable"],
        "accused": sum(row["said"] == "accused" for row in judged),
        "n_clean": len(judged),
        "needs": tool.needs,
        "given": tool.given,
        "kinds": sorted({row["kind"] for row in injected if row["said"] == "accused"}),
        "reasons": dict(reasons.most_common()),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("tool", nargs="?", choices=sorted(TOOLS), metavar="TOOL")
    parser.add_argument("--minutes", type=float, default=4.0, help="begin no scene after so many")
    parser.add_argument("--to", type=Path, metavar="FILE", help="write the table there")
    return parser


if __name__ == "__main__":
    main()
