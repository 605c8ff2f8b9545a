"""From paths to a comparison: what `compare` does, without its options."""

from collections.abc import Mapping, Sequence

from runlog.errors import UserError


def compared(
    paths: Sequence[str],
    form: str,
    *,
    mapping: Mapping[str, str],
    from_format: str | None,
    ignore: Mapping[str, str],
) -> str:
    """The comparison of the runs at these paths, as text or as one line of JSON."""
    from analyzer.comparison import compare
    from analyzer.reports.as_json import dumps
    from analyzer.reports.comparing import comparing_json, comparing_text
    from runlog.reader import open_run
    from trpo_tui.options import speaks_plainly

    if len(paths) < 2:
        raise UserError(f"{paths[0]}: one run; compare needs two or more")
    if paths.count("-") > 1:
        raise UserError("-: standard input can be read once only")
    found = compare(
        [(path, open_run(path, mapping=mapping, from_format=from_format)) for path in paths],
        ignore=ignore,
    )
    if form == "json":
        return dumps(comparing_json(found)) + "\n"
    return comparing_text(found, plain=speaks_plainly())
