"""What may be given to others: of each table the columns that archive/site/metadata.yaml calls public."""

from archive.public.filling import Comments, fill_public
from archive.public.withheld import withheld, withholds_comments
from archive.public.words import host_of, hosts_in, keyed

__all__ = ["Comments", "fill_public", "host_of", "hosts_in", "keyed", "withheld", "withholds_comments"]
