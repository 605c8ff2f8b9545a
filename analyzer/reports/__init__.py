"""Reports: a diagnosis as text, Markdown, JSON; many runs as a table; one rule explained."""

from analyzer.reports.as_json import as_json, dumps, guide_json
from analyzer.reports.as_markdown import markdown
from analyzer.reports.as_text import guide_only, text
from analyzer.reports.explaining import explain, rule_called
from analyzer.reports.numbers_behind import why
from analyzer.reports.tables import Judged, rules_table, table

__all__ = [
    "Judged",
    "as_json",
    "dumps",
    "explain",
    "guide_json",
    "guide_only",
    "markdown",
    "rule_called",
    "rules_table",
    "table",
    "text",
    "why",
]
