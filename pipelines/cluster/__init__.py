"""Workers on many machines: a Redis queue for each shard holds the clinics that are due (the extra [cluster]).

Only the verbs `enqueue` and `worker` import this package. The queue is a cache: what is due follows from clinics.toml
and the archive (`due`), so that a lost queue is filled again within minutes.
"""
