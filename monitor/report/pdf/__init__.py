"""The PDF edition: its pages are written here, drawn by report.typ, and made in a process apart."""
