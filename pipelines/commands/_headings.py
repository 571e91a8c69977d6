"""The headings under which `clinic-archive --help` and docs/commands.md list the verbs."""

from __future__ import annotations

# Page in docs/commands/, heading, and the verbs in the order in which people need them.
HEADINGS = (
    ("visit", "Visit clinics", ("crawl", "clinics", "confirm", "schedule", "backfill", "import")),
    ("keep", "Keep an archive", ("status", "coverage", "verify", "rebuild", "reparse", "pack")),
    ("copy", "Copy, divide and hand over an archive", ("backup", "restore", "handover", "shard", "merge")),
    ("cluster", "Share the visits among machines", ("enqueue", "worker")),
    ("withdraw", "Withdraw what was stored", ("privacy", "takedown")),
    ("use", "Use an archive", ("serve", "publish", "release", "export", "wacz", "parse")),
    ("words", "Find words and changes", ("derive", "edits", "kwic", "lexicon")),
    ("study", "Sample and code", ("sample", "coding")),
)
