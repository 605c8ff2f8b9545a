"""Reports: a diagnosis as text, Markdown, JSON; many runs as a table; one rule explained."""

from analyzer.reports.as_json import as_json, dumps, guide_json, tool
from analyzer.reports.as_markdown import markdown
from analyzer.reports.as_text import guide_only, text
from analyzer.reports.explaining import explain, rule_called
from analyzer.reports.tables import Judged, rules_table, table
from analyzer.reports.why import why, why_json
from analyzer.reports.why_text import why_text

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
    "tool",
    "why",
    "why_json",
    "why_text",
]
