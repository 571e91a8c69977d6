"""The pipelines: the only code that knows both the web side (`scraper`) and the durable side (`archive`).

The way of one post:

 1 crawl/visit       yields an Ask: what to request next (frontier, revisit policy, budget)
 2 spiders/_driver   robots.txt, delay, retry, redirect: one request at a time
 3 components        capture: the exchange goes to the WARC, and is synced before any row is committed
 3 decoding          the body of an answer, by the same code for live and stored ones
 4 extract           Exchange and the run's platform give items (pure)
 5 privacy           ids of people become keyed pseudonyms; names travel on only to be masked
 6 Visits.record     Captured(run, extraction): an event of the clinic's log, recorded before it is applied; with
                     `--workers` steps 1 to 6 are a worker's, which sends the event to the holder of the lock
 7 threads           captures are held until a thread's names are known, then its texts are masked
 8 Fold.apply        whole captures in (date, id) order, one transaction a batch; the only writer of a clinic's rows
 9 archive/rows      identity, then post, revision, reading, comment, sighting
10 anything later    rebuild, reparse, import, recover: log -> replay (4, 5) -> 7, 8, 9 again; verify: the same aside
"""
