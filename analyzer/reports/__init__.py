"""Reports: a diagnosis as text, Markdown, JSON or a page; many runs as a table; one rule explained."""
