"""The HTML report: one file that asks for nothing, with and without scripts, whatever a log holds."""

import json
import re
import subprocess
import sys
from collections.abc import Generator
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from chromium import Chromium

from analyzer.answers import answers
from analyzer.reports.page import page, preformatted
from analyzer.reports.page.chart import ticks
from analyzer.reports.series import Series, thinned
from runlog.reader import open_run
from runlog.run import Event, Run, State, run_of
from runlog.schema import COLUMNS
from trpo_tui.cli import run as command

SAMPLES = Path(__file__).resolve().parent.parent / "sample_logs"
EVIL = "</script><script>document.title='evil'</script><img src=http://evil onerror=alert(1)>\x00"


def html_of(run: Run, path: str = "a run") -> str:
    return page(run, answers(run).last(), path=path)


@cache
def sample(name: str) -> str:
    return html_of(open_run(SAMPLES / name))


def long_run(rows: int, extras: int) -> Run:
    """Every declared column of numbers and some extras, each with sixteen digits."""
    names = [c.name for c in COLUMNS if c.type == "float64"]
    names += [f"reward_term_{i}" for i in range(extras)]
    counts = [c.name for c in COLUMNS if c.type == "int64" and c.name != "iteration"]
    noise = np.random.default_rng(0).normal(size=(rows, len(names)))
    return run_of(
        [
            {"iteration": i + 1, **dict.fromkeys(counts, i)}
            | dict(zip(names, map(float, noise[i]), strict=True))
            for i in range(rows)
        ]
    )


class Elements(HTMLParser):
    """Every element with its attributes, and the text outside scripts and styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._inside = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside not in ("script", "style"):
            self.text += data

    def named(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag == name]


def test_the_page_says_what_the_other_reports_say() -> None:
    found = Elements(sample("TRPO101-constant-reward"))
    for said in (
        "FAULT TRPO101 constant-reward since iteration 1 · run finished",
        "Every step pays the same reward",
        "reward_range",
        "= max r − min r",
        "Founded: Print the reward's terms",
        "Where they differ: λ does not matter",
        "zero-step-direction",
        "HalfCheetah-v5",
        "torch",
        "trpo-tui ",
    ):
        assert said in found.text
    assert "link fault" in {attributes.get("class") for attributes in found.named("g")}


@pytest.mark.parametrize(
    "name", ["TRPO101-constant-reward", "TRPO102-vanished-reward", "TRPO601-solved", "healthy-walk"]
)
def test_a_page_needs_nothing_from_outside_and_no_styles_in_its_markup(name: str) -> None:
    found = Elements(sample(name))
    names = {tag for tag, _ in found.elements}
    keys = {key for _, attributes in found.elements for key in attributes}
    assert names.isdisjoint({"img", "iframe", "object", "embed", "base", "form", "a"})
    assert keys.isdisjoint({"src", "style"})
    assert not {key for key in keys if key.startswith("on")}
    assert [link["href"] for link in found.named("link")] == ["data:,"]
    policies = [m["content"] for m in found.named("meta") if m.get("http-equiv")]
    assert len(policies) == 1
    assert policies[0] is not None
    assert policies[0].startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policies[0]


def test_every_chart_is_drawn_as_svg_and_has_its_numbers_as_a_table() -> None:
    html = sample("healthy-hopper")
    found = Elements(html)
    places = [a for a in found.named("div") if "data-series" in a]
    data = json.loads(re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', html)[0])
    assert [int(a["data-series"] or -1) for a in places] == list(range(len(data["charts"])))
    figures = html.split("<figure>")[1:]
    assert len(figures) == len(places) > 50
    assert all(figure.count('class="line" d="M') + figure.count('d="M') for figure in figures)
    assert all("<table>" in figure for figure in figures)


def test_bounds_and_the_first_bad_iteration_are_lines() -> None:
    html = sample("TRPO107-critic-absorbs-advantages")
    figure = next(f for f in html.split("<figure>") if "advantage_over_value_loss" in f[:80])
    assert 'class="bound"/>' in figure
    assert 'class="first"/>' in figure
    assert "compared with: &lt; 0.95" in figure
    assert 'class="first"' not in sample("healthy-hopper")


def test_names_and_exceptions_stay_text() -> None:
    base = open_run(SAMPLES / "TRPO101-constant-reward")
    run = replace(
        base,
        metadata={**base.metadata, "env_id": EVIL, EVIL: EVIL, "config": {EVIL: EVIL}},
        state=State(name="crashed", last_iteration=25, last_row_time=None, reason=EVIL),
        events=(Event(row=1, time=None, kind=EVIL, text=EVIL),),
        notes=(EVIL,),
    )
    for html in (html_of(run, EVIL), preformatted(EVIL, f"{EVIL}\n{EVIL}")):
        found = Elements(html)
        assert not found.named("img")
        assert "<script>document.title" not in html
        assert "\x00" not in html
        assert "<img src=http://evil onerror=alert(1)>\\x00" in found.text


def test_a_column_of_any_name_is_drawn_and_stays_text() -> None:
    html = html_of(run_of([{"iteration": i, EVIL: float(i), "kl": 0.01} for i in range(1, 9)]))
    assert "<script>document.title" not in html
    assert not Elements(html).named("img")
    assert "Not declared (1)" in html


def test_two_thousand_iterations_of_every_column_fit_two_megabytes() -> None:
    html = html_of(long_run(2_000, extras=100))
    assert len(html.encode()) <= 2_000_000
    assert "Not drawn: reward_term_" in html


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_a_run_that_has_hardly_begun_has_a_page(rows: int) -> None:
    html = html_of(run_of([{"iteration": i + 1, "kl": 0.01} for i in range(rows)]))
    assert "UNKNOWN" in Elements(html).text or "HEALTHY" in Elements(html).text


def test_numbers_that_are_not_finite_are_marked() -> None:
    values = [1.0, 2.0, float("nan"), float("inf"), 3.0]
    html = html_of(run_of([{"iteration": i + 1, "kl": v} for i, v in enumerate(values)]))
    figure = next(f for f in html.split("<figure>") if "<strong>kl</strong>" in f)
    assert figure.count('class="broken">×</text>') == 2
    assert "<td>not finite</td>" in figure


def test_thinning_keeps_every_spike_and_both_ends() -> None:
    values = np.zeros(100_000)
    values[[12_345, 77_777]] = 5.0, -3.0
    rows = thinned(values, 300)
    assert len(rows) <= 302
    assert {0, 12_345, 77_777, 99_999} <= set(rows)
    assert (np.diff(rows) > 0).all()
    assert thinned(np.full(1_000, np.nan), 300).size <= 302


@pytest.mark.parametrize(
    ("low", "high", "logarithmic"),
    [(0.0, 1.0, False), (-368.7, -345.9, False), (1e-17, 3e-17, False), (2e-9, 4e6, True)],
)
def test_ticks_are_few_and_inside(low: float, high: float, logarithmic: bool) -> None:
    found = ticks(low, high, logarithmic=logarithmic)
    assert 2 <= len(found) <= 9
    assert all(low <= value <= high for value in found)


def test_a_series_over_many_decades_is_logarithmic() -> None:
    def series(values: list[float]) -> Series:
        numbers = np.array(values)
        return Series(
            name="x", unit="", meaning="", values=numbers, broken=np.zeros(len(values), dtype=bool)
        )

    assert series([1e-6, 1.0, float("nan")]).logarithmic
    assert not series([0.0, 1.0, 1e9]).logarithmic
    assert not series([1.0, 5.0]).logarithmic


def test_analyze_writes_one_run_as_html_and_refuses_several(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "report.html"
    bad = str(SAMPLES / "TRPO101-constant-reward")
    assert command(["analyze", bad, "--format", "html", "-o", str(out)]) == 1
    assert out.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert command(["analyze", bad, "--format", "html", "--guide-only"]) == 1
    assert "<pre>The guide says" in capsys.readouterr().out
    assert command(["analyze", bad, str(SAMPLES / "healthy-walk"), "--format", "html"]) == 2
    assert "one PATH" in capsys.readouterr().err


def test_text_and_json_load_nothing_of_the_page() -> None:
    code = (
        "import sys; from trpo_tui.cli import run; "
        "[run(['analyze', sys.argv[1], '--format', form]) for form in ('text', 'json')]; "
        "print([m for m in sys.modules if m.startswith('analyzer.reports.page')], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, str(SAMPLES / "healthy-hopper")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert '"verdict":"healthy"' in done.stdout
    assert done.stderr.splitlines()[-1] == "[]"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Generator[Chromium, None, None]:
    with Chromium(tmp_path_factory.mktemp("chromium")) as chromium:
        yield chromium


@pytest.fixture
def report(tmp_path: Path) -> Path:
    base = open_run(SAMPLES / "TRPO205-flipped-gradient")
    run = replace(base, metadata={**base.metadata, "env_id": EVIL}, notes=(EVIL,))
    path = tmp_path / "report.html"
    path.write_text(html_of(run, EVIL), encoding="utf-8")
    return path


SHOWN = "getComputedStyle(document.querySelector('.chart > svg')).display !== 'none'"


@pytest.mark.system
def test_in_a_browser_no_request_leaves_and_nothing_of_a_log_runs(
    browser: Chromium, report: Path
) -> None:
    browser.open(report)
    assert browser.asked_for() == {report.as_uri()}
    assert browser.seen("Runtime.exceptionThrown") == []
    assert browser.seen("Log.entryAdded") == []  # nothing was refused by the page's own policy
    assert browser.value("document.title").startswith("FAULT TRPO205")
    browser.value("document.body.append(Object.assign(new Image(), {src: 'http://127.0.0.1:9/x'}))")
    refused = [entry["entry"]["text"] for entry in browser.seen("Log.entryAdded")]
    assert any("Content Security Policy" in text for text in refused), refused


@pytest.mark.system
def test_in_a_browser_hovering_a_chart_shows_the_numbers_there(
    browser: Chromium, report: Path
) -> None:
    browser.open(report)
    assert not browser.value(SHOWN)
    drawn = browser.value("document.querySelectorAll('.chart.live canvas').length")
    assert drawn == 3
    place = browser.value(
        "(() => { const over = document.querySelectorAll('.u-over')[2];"
        " over.scrollIntoView({block: 'center'}); const box = over.getBoundingClientRect();"
        " return {x: box.x + 1, y: box.y + 40, wide: box.width}; })()"
    )
    shown = (
        "[...document.querySelectorAll('.u-legend')]"
        ".map(l => [...l.querySelectorAll('.u-value')].map(v => v.textContent))"
    )
    run = open_run(SAMPLES / "TRPO205-flipped-gradient")
    kl = run.column("kl").values
    for at, row in ((place["x"], 0), (place["x"] + place["wide"] - 2, -1)):
        browser.call("Input.dispatchMouseEvent", type="mouseMoved", x=at, y=place["y"])
        iteration = str(int(run.column("iteration").values[row]))
        for _ in range(100):  # the page draws at its next frame
            said = browser.value(shown)
            if said[2][0] == iteration:
                break
        assert said[2][0] == iteration
        assert float(said[2][1]) == pytest.approx(-1.0, abs=0.01)  # candidate_slope
        assert said[1][:2] == [iteration, f"{kl[row]:g}"]  # the cursor is shared


@pytest.mark.system
def test_in_a_browser_folded_charts_are_drawn_when_they_are_opened(
    browser: Chromium, report: Path
) -> None:
    browser.open(report)
    before = browser.value("document.querySelectorAll('.chart.live').length")
    browser.value("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    every = browser.value("document.querySelectorAll('.chart').length")
    for _ in range(100):
        live = browser.value("document.querySelectorAll('.chart.live').length")
        if live == every:
            break
    assert before < live == every
    assert browser.seen("Runtime.exceptionThrown") == []


@pytest.mark.system
def test_in_a_browser_without_scripts_the_svg_stands(browser: Chromium, report: Path) -> None:
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    browser.open(report)
    shown, canvases = (
        browser.value(SHOWN),
        browser.value("document.querySelectorAll('canvas').length"),
    )
    browser.call("Emulation.setScriptExecutionDisabled", value=False)
    assert (shown, canvases) == (True, 0)


@pytest.mark.system
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_in_a_browser_every_text_has_the_contrast_to_be_read(
    browser: Chromium, report: Path, scheme: str
) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.call("Emulation.setEmulatedMedia", features=features)
    browser.open(report)
    colours = browser.value(
        "(() => { const s = getComputedStyle(document.documentElement);"
        " return Object.fromEntries(['page', 'card', 'ink', 'soft', 'bad', 'good', 'warn', 'link',"
        " 'line'].map(name => [name, s.getPropertyValue('--' + name).trim()])); })()"
    )
    shown = browser.value("getComputedStyle(document.body).backgroundColor")
    assert shown == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 22, 26)"}[scheme]
    for ground in ("page", "card"):
        for ink in colours.keys() - {"page", "card"}:
            assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours #rrggbb or #rgb (WCAG 2.2)."""
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    digits = colour.removeprefix("#")
    digits = digits if len(digits) == 6 else "".join(2 * digit for digit in digits)
    shares = [int(digits[k : k + 2], 16) / 255 for k in (0, 2, 4)]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
