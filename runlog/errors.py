"""The one error a user's mistake raises."""


class UserError(Exception):
    """Something a user can mend: one line that says what, where and what to do."""
