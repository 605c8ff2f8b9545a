"""One line to type into, at the bottom of the screen."""

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.screen import ModalScreen
from textual.widgets import Input, Label


class Prompt(ModalScreen[str | None]):
    """Asks for a line; enter gives it, escape gives None."""

    BINDINGS = [Binding("escape", "cancel", "cancel", show=False)]  # noqa: RUF012

    def __init__(self, question: str, answer: str = "") -> None:
        super().__init__()
        self.question, self.answer = question, answer

    def compose(self) -> ComposeResult:
        field = Input(self.answer, compact=True, select_on_focus=False)
        field.cursor_blink = False
        yield Horizontal(Label(f"{self.question}: ", markup=False), field, id="prompt")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value)

    def action_cancel(self) -> None:
        self.dismiss(None)
