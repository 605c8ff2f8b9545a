"""Every named action and its keys, once: bindings, key lines and the help screen come from here."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

ScreenName = Literal["monitor", "diagnosis", "events", "table", "runs", "help"]
RUN_SCREENS: tuple[ScreenName, ...] = ("monitor", "diagnosis", "events", "table")
LISTS: tuple[ScreenName, ...] = ("diagnosis", "events", "table", "runs", "help")

_SHOWN = {
    "left": "←", "right": "→", "up": "↑", "down": "↓", "escape": "esc", "comma": ",",
    "full_stop": ".", "shift+left": "shift ←", "shift+right": "shift →", "pageup": "pgup",
    "pagedown": "pgdn", "ctrl+c": "ctrl c", "shift+tab": "shift tab",
}  # fmt: skip
_ASCII = {"←": "left", "→": "right", "↑": "up", "↓": "down"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing a key does. `screens`: where it works; `hint`: where the key line names it."""

    name: str
    keys: tuple[str, ...]
    label: str
    help: str
    screens: tuple[ScreenName, ...] = ()
    hint: tuple[ScreenName, ...] = ()

    def shown(self, *, unicode: bool) -> tuple[str, ...]:
        """Its keys as a reader knows them."""
        return tuple(key_name(key, unicode=unicode) for key in self.keys)


def key_name(key: str, *, unicode: bool) -> str:
    """How a key is written on the screen."""
    shown = _SHOWN.get(key, key)
    if not unicode:
        for arrow, word in _ASCII.items():
            shown = shown.replace(arrow, word)
    return shown


def _go(name: str, keys: tuple[str, ...], label: str, text: str, *hint: ScreenName) -> Action:
    return Action(name=name, keys=keys, label=label, help=text, hint=hint)


def _on_run(name: str, keys: tuple[str, ...], label: str, text: str, *hint: ScreenName) -> Action:
    return Action(name=name, keys=keys, label=label, help=text, hint=hint, screens=RUN_SCREENS)


ACTIONS: tuple[Action, ...] = (
    _go("help", ("?", "f1", "7"), "help", "This page.", *RUN_SCREENS, "runs"),
    _on_run("play", ("space",), "play/pause", "Hold a live run here; play a run from the playhead; at its end, from the start.", "monitor"),
    _on_run("left", ("left", "comma"), "", "Playhead one iteration back."),
    _on_run("right", ("right", "full_stop"), "", "Playhead one iteration on; past the end it follows."),
    _on_run("left-10", ("(", "shift+left"), "", "Playhead ten iterations back."),
    _on_run("right-10", (")", "shift+right"), "", "Playhead ten iterations on."),
    _on_run("home", ("home",), "", "Playhead to the first iteration."),
    _on_run("end", ("end",), "follow", "Playhead to the newest iteration, and follow."),
    _on_run("slower", ("<",), "", "Play half as fast."),
    _on_run("faster", (">",), "", "Play twice as fast, up to 64 iterations a second."),
    _on_run("previous-change", ("[",), "", "Playhead to the change of diagnosis before."),
    _on_run("next-change", ("]",), "change", "Playhead to the next change of diagnosis.", "monitor"),
    _on_run("next-event", ("n",), "event", "Playhead to the next event.", "events"),
    _on_run("previous-event", ("N",), "", "Playhead to the event before."),
    _on_run("goto", ("g",), "go to", "Playhead to an iteration, or to a percentage of the run.", "monitor"),
    _on_run("copy", ("c",), "copy", "Copy the diagnosis as Markdown, and write it to a file.", "monitor", "diagnosis"),
    Action(name="focus", keys=("tab", "shift+tab"), label="chart", help="The next chart takes the up and down keys.", screens=("monitor",), hint=("monitor",)),
    Action(name="up", keys=("up", "k"), label="", help="Monitor: the metric before in the marked chart. Lists: one line up.", screens=("monitor", *LISTS)),
    Action(name="down", keys=("down", "j"), label="", help="Monitor: the next metric in the marked chart. Lists: one line down.", screens=("monitor", *LISTS)),
    Action(name="page-up", keys=("pageup",), label="", help="Lists: one page up.", screens=LISTS),
    Action(name="page-down", keys=("pagedown",), label="", help="Lists: one page down.", screens=LISTS),
    Action(name="choose", keys=("enter",), label="why / open", help="Diagnosis: why. Events: playhead there. Table: the whole meaning. Runs: open.", screens=("diagnosis", "events", "table", "runs"), hint=("diagnosis", "events", "table", "runs")),
    Action(name="filter", keys=("/",), label="filter", help="Table: only the columns whose name holds these letters; empty shows all.", screens=("table",), hint=("table",)),
    _go("monitor", ("1", "m"), "monitor", "Charts, chain and cause at the playhead."),
    _go("diagnosis", ("2", "d"), "diagnosis", "Every rule with its answer and its numbers.", "monitor"),
    _go("events", ("3", "e"), "events", "What happened, and when."),
    _go("table", ("4", "t"), "table", "Every column at the playhead, with unit and meaning.", "monitor"),
    _go("runs", ("5", "r"), "runs", "All runs below the folder."),
    _go("theme", ("T",), "", "The next colour theme."),
    _go("back", ("escape",), "back", "Back to the monitor.", "diagnosis", "events", "table", "help"),
    _go("quit", ("q", "ctrl+c"), "quit", "Leave. The run goes on untouched.", *RUN_SCREENS, "runs", "help"),
)  # fmt: skip


BY_NAME = {action.name: action for action in ACTIONS}


def hints(screen: str, *, unicode: bool) -> Iterator[tuple[str, str]]:
    """(key, label) pairs of the key line of a screen, in the order of the registry."""
    for action in ACTIONS:
        if screen in action.hint:
            yield action.shown(unicode=unicode)[0], action.label
