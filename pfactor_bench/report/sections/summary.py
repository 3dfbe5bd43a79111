"""The first lines of a report: what a reader with half a minute must take away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pfactor_bench.claims import MIN_SUBJECTS_TO_HOLD
from pfactor_bench.report.facts import (
    ESTIMANDS,
    held_out_subjects,
    metric,
    outcome,
    regimes,
    value_with_interval,
)
from pfactor_bench.report.section import Section
from pfactor_bench.report.sections.evidence import leak_answer, leak_sentence
from pfactor_bench.report.text import (
    Markdown,
    code_block,
    count,
    escape,
    joined,
    md,
    name_list,
    table,
)
from pfactor_bench.types import Claim, Verdict

if TYPE_CHECKING:
    from pfactor_bench.records.record import Record

_SKILL = md(
    "Skill is 1 − MSE / MSE of the training mean: 0 is no better than "
    "predicting the mean of the subjects trained on for every subject, 1 is perfect. An interval "
    "that holds 0 does not show that the mean is beaten. A fold is one way to part the subjects "
    "into those trained on and those held out; a seed is one random start of the training."
)
_CONTENTS = md(
    "[Claims](#claims) · "
    "[What to know before quoting a number](#what-to-know-before-quoting-a-number) · "
    "[Checks](#checks) · [Limits](#limits) · [Cite](#cite)"
)
_STATUSES = {"fails": "Fails", "holds": "Holds", "inconclusive": "Inconclusive"}
_SYNTHETIC = md(
    "**Nobody's: the EEG and the targets are simulated.** The numbers say whether the machinery "
    "works, nothing about subjects."
)
_MOST_CLAIMS = 3
_LEAK = {"found": "Yes", "none found": "None found", "not known": "Not known"}


def _text(record: Record) -> list[Markdown]:
    """Return title, question, verdict, and the answers to what a reviewer asks first."""
    return [
        md("# {}", record.suite["title"]),
        md("*{}*", record.suite["question"]),
        *regime_lines(record),
        _SKILL,
        answers_table(record, see=md("[All checks](#checks).")),
        *_command(record),
        _CONTENTS,
    ]


def answers_table(record: Record, *, see: Markdown | None = None) -> Markdown:
    """Return data, subjects, leaks and claims, each in a line; `see` says where all checks are."""
    leak = [leak_line(record), *([see] if see else [])]
    rows: list[list[object]] = [
        ["Whose EEG is it?", _whose(record)],
        ["On how many subjects?", _subjects(record)],
        ["Is there a leak?", joined(" ", leak)],
        ["What holds?", joined(" ", [claims_held(record), *_claims_in_words(record)])],
        *_missing(record),
    ]
    return table(["asked first", "answer"], rows)


def leak_line(record: Record) -> Markdown:
    """Return whether there is a leak, in a word and in a sentence."""
    return md("**{}.** {}", _LEAK[leak_answer(record)], leak_sentence(record))


def regime_lines(record: Record) -> list[Markdown]:
    """Return, for each regime, whether it beat the train mean: good news or bad in one form."""
    subjects = count(held_out_subjects(record), "held-out subject", "held-out subjects")
    answers = []
    for regime, cases in regimes(record).items():
        skill = metric(record, regime, "skill")
        level = f"{skill.ci.level:.0%} interval" if skill and skill.ci else "no interval"
        answers.append(
            md(
                "**{} ({}) {} on {}**: skill {}, {} over subjects{}.",
                cases[0]["model"],
                regime,
                outcome(record, regime),
                subjects,
                value_with_interval(skill),
                level,
                f", of {ESTIMANDS[skill.ci.estimand]}"
                if skill and skill.ci and skill.ci.estimand
                else "",
            )
        )
    return answers


def claims_held(record: Record) -> Markdown:
    """Return how many claims of either level hold."""
    parts = []
    for level, name in (("report", "reported claim"), ("gate", "gate")):
        verdicts = [verdict for verdict in record.verdicts if verdict.level == level]
        if verdicts:
            holding = sum(verdict.status == "holds" for verdict in verdicts)
            parts.append(f"{holding} of {count(len(verdicts), name)}")
    if not parts:
        return md("**Nothing was claimed.**")
    return md("**Claims that hold: {}.**", ", ".join(parts))


def run_again(record: Record, *before: str) -> Markdown:
    """Return the command that repeats the run, in a block of its own; nothing where none is known.

    Parameters
    ----------
    record
        Whose run.
    before
        Commands that go first.
    """
    command = record.provenance.get("command")
    return code_block([*before, command]) if command else Markdown()


def _command(record: Record) -> list[Markdown]:
    block = run_again(record)
    return [md("Run it again ([at the same commit](#run-it-again)):\n\n{}", block)] if block else []


def _whose(record: Record) -> Markdown:
    """Return what was recorded, or that nothing was."""
    if record.cohort.get("injected"):
        return _SYNTHETIC
    made = record.cohort["provenance"]
    return md(
        "{}{}. The target is {}.",
        made.get("title") or record.cohort["name"],
        md(" ({})", made["doi"]) if made.get("doi") else "",
        record.cohort["target"],
    )


def _subjects(record: Record) -> Markdown:
    folds = record.split["folds"]
    n = held_out_subjects(record)
    trained = sorted({len(fold["train_subjects"]) for fold in folds})
    between = f"{trained[0]:,}" if len(trained) == 1 else f"{trained[0]:,} to {trained[-1]:,}"
    seeds = max(len(cases) for cases in regimes(record).values())
    few = md(" Fewer than {} can carry no claim.", MIN_SUBJECTS_TO_HOLD)
    return md(
        "**{}**, held out in {} from models that were trained on {} {}, with {}.{}",
        count(n, "subject", "subjects"),
        count(len(folds), "fold"),
        between,
        _others(folds),
        count(seeds, "seed"),
        few if n < MIN_SUBJECTS_TO_HOLD else "",
    )


def _others(folds: Sequence[Mapping[str, Any]]) -> str:
    """Return what training subjects are to those held out: others, unless a fold says not."""
    n_seen = n_held_out = 0
    for fold in folds:
        held_out = {*fold["test_subjects"]}
        n_seen += len(held_out & {*fold["train_subjects"]})
        n_held_out += len(held_out)
    if not n_seen:
        return "others"
    return f"subjects, {'all' if n_seen == n_held_out else 'some'} of those held out among them"


def _missing(record: Record) -> list[list[object]]:
    """Return a row about cases without a result; none where all have one."""
    if not record.missing:
        return []
    n = len(record.missing)
    regimes_hit = name_list(list(dict.fromkeys(case["regime"] for case in record.missing)))
    of = count(len(record.cases) + n, "case")
    return [
        ["Is anything missing?", md("**{:,} of {}** gave no result, in {}.", n, of, regimes_hit)]
    ]


def _claims_in_words(record: Record) -> list[Markdown]:
    """Return claims, the gravest first, and what would settle them; gates only if they do not hold.

    That a gate holds is the rule, and its count says so.
    """
    claims = {claim.id: claim for claim in record.claims}
    found = [
        (claims[verdict.claim], verdict)
        for status in _STATUSES
        for verdict in record.verdicts
        if verdict.status == status
        and verdict.claim in claims
        and (status, verdict.level) != ("holds", "gate")
    ]
    lines = [_claim_in_words(claim, verdict) for claim, verdict in found[:_MOST_CLAIMS]]
    left = len(found) - _MOST_CLAIMS
    return [*lines, md("And {:,} more below.", left)] if left > 0 else lines


def _claim_in_words(claim: Claim, verdict: Verdict) -> Markdown:
    text = Markdown(escape(claim.text, limit=160).rstrip("."))
    return md("{}: {}{}.", _STATUSES[verdict.status], text, _needed(verdict))


def _needed(verdict: Verdict) -> Markdown:
    """Return how many subjects at least would settle a claim."""
    if verdict.subjects_needed is None:
        return Markdown()
    return md(" (at least {} would be needed)", count(verdict.subjects_needed, "subject"))


SECTION = Section(order=10, text=_text)
