"""Reports of diagnoses made by hand: widths, keys, strictness, names that hold anything."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from markdown_it import MarkdownIt

from analyzer.answers import answers
from analyzer.diagnosis import (
    LINKS,
    Diagnosis,
    Evidence,
    Finding,
    Fix,
    Guide,
    GuideCheck,
    LinkStatus,
    LogNext,
    RuleAnswer,
)
from analyzer.reports.as_json import as_json, dumps, guide_json
from analyzer.reports.as_markdown import code, escaped, markdown
from analyzer.reports.as_text import guide_only, text
from analyzer.reports.explaining import explain, rule_called
from analyzer.reports.json_schema import schema
from analyzer.reports.tables import Judged, rules_table, table
from analyzer.reports.why import why, why_json
from analyzer.rules import BY_CODE, RULES
from runlog.errors import UserError
from runlog.importers import read_log
from runlog.reader import open_run
from runlog.run import ImportInfo, Run, State, run_of

RULE = BY_CODE["TRPO101"]
SAMPLES = sorted(p.parent for p in Path(__file__).parents[1].glob("sample_logs/*/run.parquet"))


def finding(code: str = "TRPO101", **changes: object) -> Finding:
    rule = BY_CODE[code]
    made = Finding(
        code=code,
        name=rule.name,
        title=rule.title,
        link=rule.link,
        level=rule.level,
        answer="yes",
        confidence=0.97,
        first_bad_iteration=4,
        last_bad_iteration=9,
        explained_by=None,
        evidence=(
            Evidence(measure="reward_range", value=0.0, comparison="≤", bound=4e-11, unit="reward"),
        ),
        fixes=(
            Fix(
                text="scale the rewards",
                origin="guide §1",
                source="the guide",
                change={"lam": 0.95},
            ),
            Fix(text="mend the reward", origin="founded", source="theorem"),
        ),
        why=rule.why,
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # fields vary by test


def answer(code: str, said: str, **changes: object) -> RuleAnswer:
    rule = BY_CODE[code]
    made = RuleAnswer(
        code=code,
        name=rule.name,
        title=rule.title,
        link=rule.link,
        level=rule.level,
        answer=said,  # type: ignore[arg-type]  # one of the four words
        evidence=(),
        reason="",
        needs=(),
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # fields vary by test


CHECKS = tuple(
    GuideCheck(
        section=i, title=f"check {i}", answer="no" if i > 1 else "yes", measure="x", value=0.0
    )
    for i in range(1, 7)
)
FAULT = Diagnosis(
    row=8,
    iteration=9,
    iterations=9,
    verdict="fault",
    headline="Every step pays the same reward, since iteration 4",
    cause=finding(),
    guide=Guide(section=1, answer="yes", checks=CHECKS, read_more="TRPO106"),
    findings=(
        finding(),
        finding("TRPO106", explained_by="TRPO101", first_bad_iteration=5),
        finding("TRPO605", level="warning"),
    ),
    answers=(
        answer("TRPO101", "yes"),
        answer("TRPO002", "unknown", needs=("log_ratio_std",), reason="not in this log"),
        answer("TRPO302", "not applicable", reason="no conjugate gradient in PPO"),
        answer("TRPO401", "no"),
    ),
    links=tuple(
        LinkStatus(
            link=link,
            status="fault" if link == "reward" else "ok",
            code="TRPO101" if link == "reward" else None,
        )
        for link in LINKS
    ),
    candidates=("TRPO101", "TRPO002"),
    log_next=(
        LogNext(column="log_ratio_std", decides=("TRPO002", "TRPO604"), snippet="a = 1\nlog(a)"),
    ),
    ignored=(("TRPO604", "known"),),
)
HEALTHY = replace(
    FAULT,
    verdict="healthy",
    headline="No link is dead",
    cause=None,
    findings=(),
    candidates=(),
    log_next=(),
    ignored=(),
    guide=Guide(section=None, answer="no", checks=CHECKS[1:], read_more=None),
)
SOLVED = replace(
    HEALTHY, verdict="solved", headline="Solved", findings=(finding("TRPO601", level="info"),)
)
RUN = run_of(
    [
        {"iteration": i, "reward_min": 1.0, "reward_max": 1.0 + (i < 4), "kl": 0.01}
        for i in range(1, 10)
    ],
    metadata={
        "env_id": "HalfCheetah-v5",
        "seed": 3,
        "algorithm": "trpo",
        "packages": {"torch": "2"},
    },
)
IMPORTED = replace(
    RUN,
    source=ImportInfo(
        format="guide",
        attempts=2,
        understood=("KL divergence", "Entropy"),
        not_understood=("Explained variance", "it's `odd` $(x)"),
        assumptions=("KL is taken against the current parameters.",),
    ),
    notes=("The last line has no end.",),
    attempts=2,
    attempt=2,
    state=State(name="crashed", last_iteration=9, last_row_time=None, reason="ValueError: nan"),
)
NASTY = "a|b`c`*d*\x1b[31m\n<img>@everyone " + "x" * 100 + " “σ”"


def nasty(diagnosis: Diagnosis) -> Diagnosis:
    odd = Evidence(measure=NASTY, value=NASTY, comparison="≤", bound=float("nan"), unit=NASTY)
    cause = finding(title=NASTY, evidence=(odd,), why=NASTY)
    return replace(
        diagnosis,
        cause=cause,
        findings=(cause,),
        headline=NASTY,
        ignored=(("TRPO604", NASTY),),
        log_next=(LogNext(column="kl", decides=("TRPO002",), snippet="kl = 1"),),
    )


def nasty_run(run: Run) -> Run:
    source = ImportInfo(format="guide", attempts=1, understood=(), not_understood=(NASTY,))
    return replace(run, metadata={"env_id": NASTY, "seed": NASTY}, source=source, notes=(NASTY,))


CASES = [
    (RUN, FAULT),
    (RUN, HEALTHY),
    (RUN, SOLVED),
    (IMPORTED, FAULT),
    (RUN, replace(HEALTHY, verdict="unknown", headline="Too early")),
    (nasty_run(IMPORTED), nasty(FAULT)),
]


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize(("run", "diagnosis"), CASES)
def test_text_fits_eighty_columns(run, diagnosis, plain):
    said = text(run, diagnosis, path="runs/" + "long/" * 30, verbose=True, plain=plain)
    ready = "--map"
    assert [line for line in said.splitlines() if len(line) > 80 and ready not in line] == []
    assert all(c.isprintable() or c == "\n" for c in said)
    if plain:
        assert said.isascii()


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("folder", SAMPLES, ids=lambda folder: folder.name)
def test_the_report_of_every_sample_fits_eighty_columns(folder, plain):
    run = open_run(folder)
    path = f"sample_logs/{folder.name}"
    said = text(run, answers(run).last(), path=path, verbose=True, plain=plain)
    assert max(map(len, said.splitlines())) <= 80
    if plain:
        assert said.isascii()
        assert "\\u" not in said
    else:
        assert "policy ─" in said or "POLICY ─" in said


@pytest.mark.parametrize("folder", SAMPLES, ids=lambda folder: folder.name)
def test_the_json_and_the_markdown_of_every_sample_keep_their_promises(folder):
    run = open_run(folder)
    diagnosis = answers(run).last()
    CLOSED.validate(json.loads(dumps(as_json(run, diagnosis, path="r"))))
    said = markdown(run, diagnosis, path="r")
    assert len(said) <= 60_000
    assert "| `kl` | `" in said


@pytest.mark.parametrize(
    ("run", "diagnosis", "first"),
    [
        (RUN, FAULT, "FAULT TRPO101 constant-reward since iteration 4 · run finished"),
        (RUN, HEALTHY, "HEALTHY · run finished"),
        (RUN, SOLVED, "SOLVED TRPO601 solved since iteration 4 · run finished"),
        (IMPORTED, FAULT, "FAULT TRPO101 constant-reward since iteration 4 · run crashed"),
    ],
)
def test_the_first_line_holds_verdict_and_state(run, diagnosis, first):
    assert text(run, diagnosis, path="r").splitlines()[0] == first
    assert markdown(run, diagnosis, path="r").splitlines()[0] == f"**{first}**"


def test_text_says_cause_evidence_both_fixes_and_what_is_explained():
    said = text(RUN, FAULT, path="runs/a")
    squeezed = " ".join(said.split())
    assert "reward_range = 0 reward (≤ 4e-11)" in said
    assert "The guide (§1): scale the rewards." in said
    assert "Founded: mend the reward." in said
    assert "Where they differ: " + RULE.differs in squeezed
    assert "fault TRPO106 zero-advantages, since iteration 5 (by TRPO101)" in squeezed
    assert "warning TRPO605" in said
    assert "─▶ REWARD ────▶ critic" in said
    assert "✗ TRPO101    ✓ ok" in said
    assert "where reward_range = max r − min r" in said
    assert "§1 check 1: yes, x = 0. More: trpo-tui explain TRPO106" in squeezed
    assert "TRPO604: known." in said


def test_plain_text_numbers_its_sections():
    said = text(RUN, FAULT, path="r", plain=True)
    headings = [line for line in said.splitlines() if line[:1].isdigit()]
    assert headings[:3] == ["1. Cause", "2. Evidence", "3. Fix"]
    assert "REWARD FAULT TRPO101 > critic ok" in " ".join(said.split())


def test_a_partial_log_says_what_it_took_and_the_one_column_to_add():
    said = text(IMPORTED, FAULT, path="train.log")
    assert "format guide, attempt 2 of 2, 2 of 4 keys understood" in said
    assert "--map 'Explained variance=explained_variance' \\" in said
    assert "Candidates left: TRPO002." in said
    assert "log_ratio_std (it tells of TRPO002, TRPO604)" in " ".join(said.split())
    assert "    log(a)\n" in said
    assert "Assumed: KL is taken" in said
    assert "Note: The last line has no end." in said
    assert "ValueError: nan" in said


def test_colour_is_there_only_when_asked_for():
    assert "\x1b" not in text(RUN, FAULT, path="r")
    assert text(RUN, FAULT, path="r", colour=True).startswith("\x1b[1;31mFAULT")
    assert "\x1b" not in text(RUN, FAULT, path="r", colour=True, plain=True)


def test_verbose_text_says_what_every_rule_answered():
    said = " ".join(text(RUN, FAULT, path="r", verbose=True).split())
    assert "TRPO302 negative-curvature not applicable: no conjugate gradient in PPO" in said
    assert "TRPO401 zero-full-step no" in said


CLOSED = jsonschema.Draft202012Validator(schema(closed=True))


def refuse(constant: str) -> None:
    raise AssertionError(constant)


@pytest.mark.parametrize(("run", "diagnosis"), CASES)
def test_json_is_one_strict_line_of_the_published_schema(run, diagnosis):
    lines = (
        dumps(as_json(run, diagnosis, path="r")),
        dumps(guide_json(diagnosis, path="r")),
        dumps(why_json(why(RULE, answers(run)), path="r")),
        dumps({"path": "r", "error": "r: no such run"}),
    )
    for line in lines:
        assert "\n" not in line
        CLOSED.validate(json.loads(line, parse_constant=refuse))


def test_the_published_schema_is_one_and_refuses_what_is_none_of_it():
    jsonschema.Draft202012Validator.check_schema(schema())
    found = as_json(RUN, FAULT, path="r")
    for changed in (
        {key: value for key, value in found.items() if key != "ignored"},
        found | {"verdict": "ill"},
        found | {"findings": [{"code": "TRPO101"}]},
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.Draft202012Validator(schema()).validate(changed)


def test_json_keeps_what_the_diagnosis_says():
    found = as_json(IMPORTED, FAULT, path="train.log")
    assert (found["schema"], found["path"], found["iterations"]) == (1, "train.log", 9)
    assert found["tool"]["rules"] == len(RULES)
    assert found["run"]["env_id"] == "HalfCheetah-v5"
    assert found["state"]["name"] == "crashed"
    assert found["cause"]["code"] == "TRPO101"
    assert found["findings"][0]["fixes"][0]["change"] == {"lam": 0.95}
    assert found["findings"][1]["explained_by"] == "TRPO101"
    assert found["not_assessable"] == [{"code": "TRPO002", "needs": ["log_ratio_std"]}]
    assert found["not_applicable"] == [{"code": "TRPO302", "why": "no conjugate gradient in PPO"}]
    assert found["log_next"][0]["decides"] == ["TRPO002", "TRPO604"]
    assert found["ignored"] == [{"code": "TRPO604", "reason": "known"}]
    assert as_json(RUN, SOLVED, path="r")["cause"] is None


def test_json_writes_non_finite_numbers_as_words():
    odd = tuple(
        Evidence(measure="kl", value=value, comparison=">", bound=None, unit="nat")
        for value in (float("nan"), float("inf"), float("-inf"))
    )
    run = replace(RUN, metadata={"config": {"max_kl": float("inf")}})
    found = as_json(run, replace(FAULT, findings=(finding(evidence=odd),)), path="r")
    said = [e["value"] for e in found["findings"][0]["evidence"]]
    assert said == ["NaN", "Infinity", "-Infinity"]
    assert found["run"]["config"]["max_kl"] == "Infinity"


def test_guide_only_walks_the_six_checks():
    said = guide_only(FAULT, path="r")
    assert said.splitlines()[0] == "The guide says section 1 at iteration 9: r"
    assert " > §1 check 1: yes (x = 0)" in said
    assert guide_only(HEALTHY, path="r").startswith("The guide says no section")
    found = guide_json(FAULT, path="r")
    assert (found["guide"]["section"], found["guide"]["answer"]) == (1, "yes")
    assert [check["section"] for check in found["guide"]["checks"]] == [1, 2, 3, 4, 5, 6]


def test_markdown_has_evidence_fixes_facts_and_folds_the_rest():
    said = markdown(IMPORTED, FAULT, path="train.log")
    assert "| `reward_range` = max r − min r | 0 reward | ≤ 4e-11 |" in said
    assert "| `kl` | `▄▄▄▄▄▄▄▄▄` | 0.01 | 0.01 | 0.01 |" in said
    assert "| `reward_range` | `███▁▁▁▁▁▁` | 0 | 1 | 0 |" in said
    assert "- **guide §1**: scale the rewards. Change: `lam = 0.95`." in said
    assert "- **founded**: mend the reward. (theorem)" in said
    assert "| env_id | `HalfCheetah-v5` |" in said
    assert "| packages | torch 2 |" in said
    assert "| state | crashed: ValueError: nan |" in said
    assert "Link: reward. Confidence 0.97." in said
    assert said.count("<details>") == said.count("</details>") == 1
    assert "trpo-tui " in said.splitlines()[-1]


def test_markdown_tables_survive_any_name():
    said = markdown(nasty_run(IMPORTED), nasty(FAULT), path="a|b`")
    for line in said.splitlines():
        if line.startswith("|"):
            bars = line.replace("\\|", "").count("|")
            assert bars in (3, 4, 6), line
    assert "\x1b" not in said


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_markdown_holds_the_whole_of_what_a_rule_says(rule):
    cause = finding(rule.code, fixes=rule.all_fixes)
    said = markdown(RUN, replace(FAULT, cause=cause, findings=(cause,)), path="r")
    assert "…" not in said
    assert all(escaped(fix.text, 2_000).rstrip(".") in said for fix in rule.all_fixes)
    assert escaped(rule.why, 2_000) in said


def test_nothing_in_a_log_becomes_markup_in_an_issue():
    evil = "<img src=x> [a](http://b) ![i](j) **bold** `code` &lt; ```"
    run = replace(nasty_run(IMPORTED), notes=(evil,), metadata={"env_id": evil})
    said = markdown(run, replace(nasty(FAULT), headline=evil), path=evil)
    tokens = MarkdownIt("commonmark").enable("table").parse(said)
    inside = [child for token in tokens for child in token.children or ()]
    html = {token.content for token in (*tokens, *inside) if token.type.startswith("html_")}
    assert html == {
        "<details><summary>Details</summary>\n", "</details>\n", "<sub>", "</sub>",
    }  # fmt: skip
    assert {child.type for child in inside}.isdisjoint({"image", "link_open", "entity"})
    texts = [token for token in tokens if token.type == "inline" and "img src" in token.content]
    assert len(texts) >= 3
    assert any("&lt;" in child.content for child in inside if child.type == "text")


def test_markdown_of_the_longest_log_can_still_be_pasted():
    endless = "`|<&*" * 20_000
    source = ImportInfo(
        format="guide",
        attempts=9,
        understood=(endless,) * 500,
        not_understood=(endless, *(f"key {i} " + "k" * 70 for i in range(5_000))),
        assumptions=(endless,) * 5,
    )
    run = replace(
        RUN,
        metadata=dict.fromkeys(("env_id", "algorithm", "seed", "git_commit", "version"), endless)
        | {"packages": {f"{i}{endless}": endless for i in range(500)}},
        source=source,
        notes=(endless,) * 3_000,
        state=State(name="crashed", last_iteration=9, last_row_time=None, reason=endless),
    )
    codes = [rule.code for rule in RULES] * 2  # as many as there could be
    diagnosis = replace(
        nasty(FAULT),
        headline=endless,
        findings=tuple(finding(code, explained_by="TRPO101") for code in codes),
        answers=tuple(answer(code, "unknown", reason=endless) for code in codes),
        ignored=tuple((code, endless) for code in codes),
        candidates=tuple(codes),
    )
    said = markdown(run, diagnosis, path=endless)
    assert len(said) <= 60_000
    assert "Details are left out" in said
    assert "trpo-tui" in said.splitlines()[-1]
    few = replace(diagnosis, answers=(), findings=diagnosis.findings[:3])
    assert "<details>" in markdown(run, few, path=endless)


@pytest.mark.parametrize(
    ("name", "words", "code_"),
    [
        ("a|b", "a\\|b", "`a\\|b`"),
        ("a`b", "a\\`b", "``a`b``"),
        ("`a``", "\\`a\\`\\`", "``` `a`` ```"),
        ("<b>@you\n#1", "\\<b\\>@\u200byou \\#1", "`<b>@you #1`"),
        ("\x1b[0m", "\\\\x1b\\[0m", "`\\x1b[0m`"),
    ],
)
def test_names_are_escaped_as_words_and_as_code(name, words, code_):
    assert escaped(name) == words
    assert code(name) == code_


def test_several_runs_are_a_table_grouped_by_cause():
    rows = [
        Judged(path="runs/ok", run=RUN, diagnosis=HEALTHY),
        Judged(path="runs/" + "a" * 100, run=RUN, diagnosis=FAULT),
        Judged(path="runs/b", run=IMPORTED, diagnosis=FAULT),
        Judged(path="runs/c", error="runs/c: not a Parquet file"),
    ]
    lines = table(rows).splitlines()
    assert lines[0] == "FAULT TRPO101 constant-reward: 2 runs"
    assert lines[2] == "  runs/b  since 4, 9 iterations, crashed"
    assert lines[3:] == [
        "HEALTHY: 1 run",
        "  runs/ok  9 iterations, finished",
        "UNREADABLE: 1 run",
        "  runs/c: not a Parquet file",
        "Ignored TRPO604: known.",
    ]
    assert max(map(len, lines)) <= 80
    assert lines[1].endswith("aaa  since 4, 9 iterations, finished")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
@pytest.mark.parametrize("plain", [False, True])
def test_every_rule_can_be_explained_in_eighty_columns(rule, plain):
    said = explain(rule, plain=plain)
    squeezed = " ".join(said.split())
    assert max(map(len, said.splitlines())) <= 80
    assert said.startswith(f"{rule.code} {rule.name}: ")
    if plain:
        assert said.isascii()
    else:
        assert " ".join(rule.when.text.split()) in squeezed
        assert all(source in squeezed for source in rule.sources)
        assert all(measure.name in said for measure in rule.measures)


@pytest.mark.parametrize("name", ["101", "TRPO101", "trpo101", "constant-reward", " 101 "])
def test_a_rule_is_called_by_code_or_name(name):
    assert rule_called(name) is RULE
    assert explain(name) == explain(RULE)


def test_an_unknown_rule_is_the_users_error():
    with pytest.raises(UserError, match="did you mean TRPO101 constant-reward"):
        explain("constant-rewards")
    with pytest.raises(UserError, match="trpo-tui rules"):
        explain("999")


def test_the_table_of_rules_names_each_once_in_order():
    lines = rules_table().splitlines()
    codes = [line.split()[0] for line in lines if line.startswith("TRPO")]
    assert codes == sorted(rule.code for rule in RULES)
    assert max(map(len, lines)) <= 80


def test_reports_import_nothing_heavy():
    code = (
        "import sys; import trpo_tui.printing, analyzer.reports.as_text; "
        "print([m for m in ('pandas', 'pyarrow', 'torch', 'textual') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


BROKEN = """\
Iteration 10 | Timesteps 20480
  Avg episode reward: 0.0001  ← Too small!
  Min/Max reward: 0.0001 / 0.0001  ← All the same!
  Advantages - mean: 0.000000, std: 0.000000  ← No variance! PROBLEM!
  Returns - mean: 0.0001, std: 0.000000
  Policy loss: -0.0000  ← Zero
  KL divergence: 0.000000  ← Zero
  Entropy: 39.5  ← Too high (nearly random)
  Value loss: 0.0000  ← Zero
  Line search: ✗ Failed

  [DEBUG]
    Advantages (raw): mean=0.000000, std=0.000000  ← PROBLEM HERE!
    Advantages range: [0.0000, 0.0000]
    Ratio: mean=1.000000, std=0.000000  ← No change
    Gradient norm: 0.000000  ← Zero gradient!
    Step direction norm: 0.000000  ← Can't find direction
    Full step norm: 0.000000  ← No step
    Expected improvement: 0.000000  ← No improvement expected
"""


def test_the_guides_broken_block_names_the_reward_from_print_to_report():
    run = read_log(BROKEN.encode(), name="train.log")
    diagnosis = answers(run).last()
    found = as_json(run, diagnosis, path="train.log")
    assert (found["verdict"], found["guide"]["section"]) == ("fault", 1)
    assert found["cause"]["code"] in ("TRPO101", "TRPO106")
    assert "reward" in markdown(run, diagnosis, path="train.log").splitlines()[2]
    assert "17 of 17 keys understood" in text(run, diagnosis, path="train.log")
