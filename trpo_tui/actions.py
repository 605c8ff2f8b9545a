"""Every named action and its keys, once: bindings, key lines and the help screen come from here."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

ScreenName = Literal[
    "monitor", "diagnosis", "events", "table", "runs", "compare", "help", "palette"
]
RUN_SCREENS: tuple[ScreenName, ...] = ("monitor", "diagnosis", "events", "table")
LISTS: tuple[ScreenName, ...] = ("diagnosis", "events", "table", "runs", "help", "palette")
CHARTS: tuple[ScreenName, ...] = ("monitor", "compare")

_SHOWN = {
    "left": "←", "right": "→", "up": "↑", "down": "↓", "escape": "esc", "comma": ",",
    "full_stop": ".", "shift+left": "shift ←", "shift+right": "shift →", "pageup": "pgup",
    "pagedown": "pgdn", "ctrl+c": "ctrl c", "shift+tab": "shift tab", "plus": "+", "minus": "-",
    "equals_sign": "=", "ctrl+p": "ctrl p",
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


def _on(
    screens: tuple[ScreenName, ...],
    name: str,
    keys: tuple[str, ...],
    label: str,
    text: str,
    *hint: ScreenName,
) -> Action:
    return Action(name=name, keys=keys, label=label, help=text, screens=screens, hint=hint)


ACTIONS: tuple[Action, ...] = (
    _go("help", ("?", "f1", "7"), "help", "This page.", *RUN_SCREENS, "runs", "compare"),
    _on_run("play", ("space",), "play/pause", "Hold a live run here; play a run from the playhead; at its end, from the start.", "monitor"),
    _on_run("left", ("left", "comma"), "", "Playhead one iteration back."),
    _on_run("right", ("right", "full_stop"), "", "Playhead one iteration on; past the end it follows."),
    _on_run("left-10", ("(", "shift+left"), "", "Playhead ten iterations back."),
    _on_run("right-10", (")", "shift+right"), "", "Playhead ten iterations on."),
    _on_run("home", ("home",), "", "Playhead to the first iteration."),
    _on_run("end", ("end",), "follow", "Playhead to the newest iteration, and follow."),
    _on_run("slower", ("<",), "", "Play half as fast, down to one iteration in four seconds."),
    _on_run("faster", (">",), "", "Play twice as fast, up to 64 iterations a second."),
    _on_run("previous-change", ("[",), "", "Playhead to the change of diagnosis before."),
    _on_run("next-change", ("]",), "change", "Playhead to the next change of diagnosis.", "monitor"),
    _on_run("next-event", ("n",), "event", "Playhead to the next event.", "events"),
    _on_run("previous-event", ("N",), "", "Playhead to the event before."),
    _on_run("goto", ("g",), "go to", "Playhead to an iteration, a percentage of the run, or a time of day (14:05).", "monitor"),
    _on_run("copy", ("c",), "copy", "Copy the diagnosis as Markdown, and write it to a file.", "monitor", "diagnosis"),
    _on_run("copy-values", ("C",), "", "Copy every value at the playhead, and write them to a file."),
    _on_run("csv", ("w",), "", "Write every column of the run to a CSV file."),
    _go("picture", ("f8",), "", "Write what the screen shows to an SVG file."),
    _on(("monitor",), "focus", ("tab", "l"), "chart", "The next chart takes the up and down keys.", "monitor"),
    _on(("monitor",), "focus-back", ("shift+tab", "h"), "", "The chart before takes the up and down keys."),
    _on((*CHARTS, *LISTS), "up", ("up", "k"), "", "Charts: the metric before in the marked chart. Lists: one line up."),
    _on((*CHARTS, *LISTS), "down", ("down", "j"), "", "Charts: the next metric in the marked chart. Lists: one line down."),
    _on(LISTS, "page-up", ("pageup",), "", "Lists: one page up."),
    _on(LISTS, "page-down", ("pagedown",), "", "Lists: one page down."),
    _on(("monitor", "diagnosis", "events", "table", "runs"), "choose", ("enter",), "why / open", "Monitor: one chart over all. Diagnosis: why. Events: playhead there. Table: the whole meaning. Runs: open.", "diagnosis", "events", "table", "runs"),
    _on(("monitor",), "maximise", ("z",), "", "The marked chart over all the room, and back."),
    _on(CHARTS, "zoom-in", ("plus", "equals_sign"), "zoom", "Charts: half as many iterations around the playhead."),
    _on(CHARTS, "zoom-out", ("minus",), "", "Charts: twice as many iterations."),
    _on(CHARTS, "zoom-off", ("0",), "", "Charts: the whole run, linear, raw."),
    _on(CHARTS, "pan-left", ("H",), "", "Charts: a quarter of the window back."),
    _on(CHARTS, "pan-right", ("L",), "", "Charts: a quarter of the window on."),
    _on(CHARTS, "log", ("y",), "", "Charts: logarithmic scale, and back."),
    _on(CHARTS, "axis", ("x",), "", "Charts: along iterations, timesteps or time."),
    _on(CHARTS, "smooth", ("s",), "", "Charts: running mean of more and more iterations, the raw curve behind it."),
    _on(CHARTS, "clip", ("o",), "", "Charts: a range without outliers, and back."),
    _on(("monitor", "table", "runs", "compare"), "filter", ("/",), "filter", "Only columns or runs whose name holds these letters; !letters: that does not; empty shows all.", "table", "runs"),
    _on(("runs",), "mark", ("space",), "mark", "Mark this run, to compare it with the others that are marked.", "runs"),
    _on(("runs",), "sort", ("s",), "sort", "Sort by name, state, iterations, return or verdict.", "runs"),
    _on(("runs",), "reverse", ("o",), "", "The list the other way round."),
    _go("monitor", ("1", "m"), "monitor", "Charts, chain and cause at the playhead."),
    _go("diagnosis", ("2", "d"), "diagnosis", "Every rule with its answer and its numbers.", "monitor"),
    _go("events", ("3", "e"), "events", "What happened, and when."),
    _go("table", ("4", "t"), "table", "Every column at the playhead, with unit and meaning.", "monitor"),
    _go("runs", ("5", "r"), "runs", "All runs below the folder.", "compare"),
    _go("compare", ("6",), "compare", "The runs that are marked in the list, one over the other.", "runs"),
    _go("palette", (":", "ctrl+p"), "", "Every action by name: type letters of it, enter does it."),
    _go("bell", ("b",), "", "Ring when a new cause is found, the run crashes or ends; and no more."),
    _go("theme", ("T",), "", "The next colour theme."),
    _go("back", ("escape",), "back", "Back to the monitor.", "diagnosis", "events", "table", "help", "compare", "palette"),
    _go("suspend", ("ctrl+z",), "", "To the shell; fg comes back. The run goes on."),
    _go("quit", ("q", "ctrl+c"), "quit", "Leave. The run goes on untouched.", *RUN_SCREENS, "runs", "help", "compare"),
)  # fmt: skip


BY_NAME = {action.name: action for action in ACTIONS}


def action_of(actions: Sequence[Action], key: str, screen: str) -> Action | None:
    """What a key does on a screen, None where nothing."""
    for action in actions:
        if key in action.keys and (not action.screens or screen in action.screens):
            return action
    return None


def rebound(keys: Mapping[str, Sequence[str]]) -> tuple[Action, ...]:
    """The registry with other keys for some actions. A key that is given to an action is taken from
    the others that share a screen with it."""
    taken = {key: name for name, given in keys.items() for key in given}

    def left(action: Action) -> tuple[str, ...]:
        return tuple(
            key for key in action.keys if key not in taken or not _meet(action, BY_NAME[taken[key]])
        )

    def given(action: Action) -> tuple[str, ...]:
        always = ("ctrl+c",) if action.name == "quit" else ()
        return tuple(dict.fromkeys((*keys[action.name], *always)))

    return tuple(
        replace(action, keys=given(action) if action.name in keys else left(action))
        for action in ACTIONS
    )


def _meet(one: Action, other: Action) -> bool:
    """Whether some screen has both."""
    return not one.screens or not other.screens or bool({*one.screens} & {*other.screens})


def hints(actions: Sequence[Action], screen: str, *, unicode: bool) -> Iterator[tuple[str, str]]:
    """(key, label) pairs of the key line of a screen, in the order of the registry."""
    for action in actions:
        if screen in action.hint and action.keys:
            yield action.shown(unicode=unicode)[0], action.label
