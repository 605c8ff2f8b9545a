"""A question in the key line, answered by typing."""

from collections.abc import Callable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked, what has been typed so far, and what happens with the answer."""

    text: str
    typed: str
    then: Callable[[str], None]
    typing: Callable[[str], None] | None = None
    """Told of the answer as it grows; the keys that move in a list still do then."""
    given_up: Callable[[], None] = lambda: None
    """Told when escape takes the question away."""

    @property
    def line(self) -> str:
        return f"{self.text}: {self.typed}_"

    def pressed(self, key: str, character: str | None) -> "Question":
        """After one more key: a character is added, backspace takes one away."""
        if key == "backspace":
            return replace(self, typed=self.typed[:-1])
        if key == "ctrl+u":
            return replace(self, typed="")
        if character is not None and character.isprintable():
            return replace(self, typed=self.typed + character)
        return self
