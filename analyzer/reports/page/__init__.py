"""The report as one HTML file: nothing outside it is ever asked for."""

from analyzer.reports.page.document import page, preformatted

__all__ = ["page", "preformatted"]
