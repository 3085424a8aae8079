"""Time limit of waits in tests: it only turns a hang into a failure.

A machine that is busy with other work may take twenty times as long as a quiet one, so no test counts on less.
"""

PATIENCE = 120.0  # seconds
