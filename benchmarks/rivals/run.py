"""Run other leakage tools on exported scenes and write what each of them said.

    RIVALS/bin/python benchmarks/rivals/run.py FOLDER reports/detection/rivals.json [TOOL ...]

Without names all tools are run; ml-leakproof takes seconds a scene. Each gets the arrays that it
documents as its input, in the environment of requirements.txt.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

HOW = (
    "Tools that take arrays were run in an environment of their own on the first fold of {n} "
    "planted leaks (all leaks above, in four ridge studies) and {clean} clean studies, through the "
    "functions that they document. Leaks that leave no trace in these arrays count as missed. "
    "Tools that need the study's own code rewritten could not be applied: that is read from their "
    "documentation, they were not run, and might find more where a study is written for them. So "
    "few clean studies say little about false accusations. Tools without a row were not tried here."
)


def leakfence(scene):
    """Audit one split: subjects, sessions, sample ranges, and rows that occur twice."""
    from leakfence import audit_split, check_duplicates

    found = audit_split(
        scene["train"],
        scene["test"],
        subject=scene["subject"],
        session=scene["session"],
        sample_range=list(zip(scene["start"].tolist(), scene["stop"].tolist(), strict=True)),
        recording=[f"{a}/{b}" for a, b in zip(scene["subject"], scene["session"], strict=True)],
        paradigm="cross-subject",
    )
    _, copies = check_duplicates(
        scene["features"], train_idx=scene["train"], test_idx=scene["test"]
    )
    return bool(found.errors) or any(one.severity == "error" for one in copies)


def ml_leakproof(scene):
    """Audit frames of training and test rows; advisory findings do not count."""
    from ml_leakproof import analyze_data

    frames = [_frame(scene, side) for side in ("train", "test")]
    found = analyze_data(*frames, target="score", group="subject")
    return any(not one.advisory_only for one in found.findings)


def auditeeg(scene):
    """Compare each person's error with and without the leak: it needs the clean twin."""
    from auditeeg import audit_leakage_mechanism

    found = audit_leakage_mechanism(-scene["error_leaky"], -scene["error_clean"])
    return found["p_value"] < 0.05  # noqa: PLR2004 - its own documentation's level


def _frame(scene, side):
    rows = scene[side]
    columns = [f"f{number}" for number in range(scene["features"].shape[1])]
    frame = pd.DataFrame(scene["features"][rows], columns=columns)
    return frame.assign(subject=scene["subject"][rows], score=scene["y"][rows])


TOOLS = {
    "leakfence": (leakfence, "indices, subjects, sessions, sample ranges"),
    "ml-leakproof": (ml_leakproof, "frames of training and test rows"),
    "auditeeg": (auditeeg, "a clean twin of each study"),
}
#: Tools that cannot be handed a study, and what they ask for instead.
NOT_APPLIED = {
    "foldguard": "marks on evaluation arrays inside the study's own code",
    "Leakly": "the study rebuilt as a pipeline of its own configuration",
}


def main(folder: Path, out: Path, names: list[str]) -> None:
    """Run the named tools, or all, on all scenes."""
    scenes = [dict(np.load(path)) for path in sorted(folder.glob("*.npz"))]
    planted = [scene for scene in scenes if scene["kind"]]
    clean = [scene for scene in scenes if not scene["kind"]]
    rows = [
        _row(name, *tool, planted, clean)
        for name, tool in TOOLS.items()
        if name in (names or TOOLS)
    ]
    rows += [
        {
            "tool": name,
            "version": version(name),
            "found": 0,
            "missed": 0,
            "not_applicable": len(planted),
            "accused": 0,
            "n_clean": 0,
            "needs": needs,
            "kinds": [],
            "reasons": {},
        }
        for name, needs in NOT_APPLIED.items()
    ]
    record = {"how": HOW.format(n=len(planted), clean=len(clean)), "tools": rows}
    out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    for row in rows:
        print({key: row[key] for key in row if key != "kinds"})


def _row(name, tool, needs, planted, clean):
    said, reasons = [], {}
    for scene in planted:
        try:
            said.append(bool(tool(scene)))
        except Exception as error:  # noqa: BLE001 - what a tool cannot take is a result
            said.append(None)
            text = f"{type(error).__name__}: {error}"[:160]
            reasons[text] = reasons.get(text, 0) + 1
    found = [int(scene["kind"]) for scene, one in zip(planted, said, strict=True) if one]
    return {
        "tool": name,
        "version": version(name),
        "found": said.count(True),
        "missed": said.count(False),
        "not_applicable": said.count(None),
        "accused": sum(bool(tool(scene)) for scene in clean),
        "n_clean": len(clean),
        "needs": needs,
        "kinds": sorted(set(found)),
        "reasons": reasons,
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
