"""`clinic-archive` with a short heartbeat, for which tests need not wait: `python -m tests.cluster.program ...`"""

from __future__ import annotations

from pipelines.cluster import leases, queue, worker
from pipelines.commands import main

HEARTBEAT = 600  # milliseconds

queue.HEARTBEAT, queue.MAINTENANCE = HEARTBEAT, 1_000_000
leases.RENEWED, leases.LEASE = 0.3, 2.0
worker.SOON = 0.2

if __name__ == "__main__":
    main()
