"""Scrapy's settings: politeness, limits and wiring. Each departure from a default says why on its line."""

from scraper.config.clinics import PRODUCT, VERSION

BOT_NAME = "clinic-archive"
URLLENGTH_LIMIT = 0  # default 2083; a longer address would be dropped without a word, and the visit with it
LOG_LEVEL = "INFO"  # default DEBUG; a line a request belongs to the tables
SPIDER_MODULES = ["scraper.spiders"]

# Where things are; `clinic-archive` and `scrapy crawl -s` change them.
ARCHIVE = "var"
CLINICS_FILE = "clinics.toml"
USER_AGENT = f"{PRODUCT}/{VERSION}"  # completed with project page and contact from clinics.toml

ALLOW_PRIVATE = False  # ours: permit loopback and private addresses under plain `scrapy crawl`

# Manners
ROBOTSTXT_OBEY = False  # the spider asks robots.txt itself: the answer is a capture, and 5xx refuses the whole host
DELAY = None  # ours: seconds between two requests to a clinic; None: its stanza's, else 2; never below Crawl-delay
DOWNLOAD_DELAY_JITTER = 0  # default 0.5; a floor is a floor
CONCURRENT_REQUESTS_PER_DOMAIN = 1  # default 8; one request at a time
RETRY_ENABLED = False  # default True; the spider retries, so that each attempt is a capture and Retry-After is kept
RETRY_TIMES = 2  # the default; used by the spider
RETRY_PAUSE = 5.0  # ours: seconds before the first retry, doubled for each further one
RETRY_AFTER_MAX = 300.0  # ours: a server that asks for a longer pause is left for the next run
REDIRECT_ENABLED = False  # default True; the spider follows, so that each hop is a capture and asks robots.txt
METAREFRESH_ENABLED = False  # default True; the same
CONCURRENT_ITEMS = 1  # default 100; an answer gives one item, and Scrapy starts a task for each it could give
COOKIES_ENABLED = (
    False  # default True; nothing here needs them, and with them Scrapy asks publicsuffix.org at the start
)
REFERER_ENABLED = False  # default True; where we come from is nobody's business
DOWNLOADER_STATS = False  # default True; the archive tells how many answers of how many bytes came
DEFAULT_REQUEST_HEADERS = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,application/json;q=0.9,*/*;q=0.8",
    "Accept-Encoding": "gzip, deflate",  # default adds br and zstd, which other people's WARC checkers stumble over
}

# Limits
DOWNLOAD_TIMEOUT = 60  # default 180; a page that takes longer is tried again
DOWNLOAD_MAXSIZE = 32 * 1024 * 1024  # default 1 GiB; twenty times the largest post page seen, also after decoding
DOWNLOAD_WARNSIZE = 0  # default 32 MiB; the limit above refuses, a warning adds nothing
CLOSESPIDER_TIMEOUT = 0  # the default

# Safety
TELNETCONSOLE_ENABLED = False  # default True; a port that runs code
REMOTE_CONTROL_ENABLED = False  # default True; the same
TWISTED_DNS_RESOLVER = "scraper.guard.GuardedResolver"  # refuses names that lead to private addresses

# Rendering, where a page must be
BROWSER_EXECUTABLE = None  # ours: the Chromium to start; None: the first on PATH
BROWSER_PAGE_SECONDS = 45.0  # ours: for a page, whatever it does
BROWSER_QUIET_SECONDS = 10.0  # ours: without traffic, after which what a page has not shown is held never to come

# Wiring
DOWNLOAD_HANDLERS = {  # Scrapy's own, and a browser for the requests that ask for one
    "http": "scraper.browser.RenderingHandler",
    "https": "scraper.browser.RenderingHandler",
}
DOWNLOADER_MIDDLEWARES = {
    "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": None,  # the plan knows what is of the site
    "scrapy.downloadermiddlewares.httpauth.HttpAuthMiddleware": None,  # there are no passwords
    "pipelines.components.freshness.Freshness": 560,
    "scraper.guard.Guard": 760,  # after whatever could change the address
    "pipelines.components.rendered.Rendered": 980,
    "pipelines.components.capture.Capture": 990,  # next to the downloader: bodies are still as served
}
SPIDER_MIDDLEWARES = {  # each is passed by every item and request that the spider yields
    "scrapy.spidermiddlewares.start.StartSpiderMiddleware": None,  # nobody asks which request was the first
    "scrapy.spidermiddlewares.httperror.HttpErrorMiddleware": None,  # a refusal is an answer, and is read
    "scrapy.spidermiddlewares.depth.DepthMiddleware": None,  # a visit is one long chain: its depth says nothing
    "scrapy.spidermiddlewares.metacopy.MetaCopyDetectionMiddleware": None,  # no meta is ever copied
}
ITEM_PIPELINES = {
    "pipelines.components.item_pipelines.Pseudonymise": 100,
    "pipelines.components.item_pipelines.Validate": 200,
    "pipelines.components.item_pipelines.Store": 300,
}
EXTENSIONS = {
    "pipelines.run_report.Report": 0,
    "pipelines.components.feeds.PostFeeds": 0,
    "scrapy.extensions.feedexport.FeedExporter": None,  # PostFeeds exports whole posts instead of captures
    "scrapy.extensions.logstats.LogStats": None,  # default on; the run's own summary says more
}
FEED_EXPORT_ENCODING = "utf-8"  # default: ASCII with \\u escapes in JSON
