"""What a run found, for people: one self-contained HTML page, and its figures as PNG files."""

from bigrock.report.page import write_curves, write_figures, write_report

__all__ = ["write_curves", "write_figures", "write_report"]
