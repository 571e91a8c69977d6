"""Scrapy's settings: politeness, limits and wiring. Each departure from a default says why on its line."""

from scraper.config.clinics import PRODUCT, VERSION

BOT_NAME = "clinic-archive"
URLLENGTH_LIMIT = 0  # default 2083; Scrapy drops a longer address silently, and the visit would end
LOG_LEVEL = "INFO"  # default DEBUG; requests are rows of the archive, not lines of the log
SPIDER_MODULES = ["scraper.spiders"]

# Paths; `clinic-archive` and `scrapy crawl -s` set them.
ARCHIVE = "var"
CLINICS_FILE = "clinics.toml"
RUN = None  # ours: id of one of several runs that a process has on the archive; None: its only one
USER_AGENT = f"{PRODUCT}/{VERSION}"  # completed with project page and contact from clinics.toml

ALLOW_PRIVATE = False  # ours: permit loopback and private addresses under plain `scrapy crawl`

# Politeness
ROBOTSTXT_OBEY = False  # the spider requests robots.txt itself: its answer is a capture, and 5xx refuses the host
DELAY = None  # ours: seconds between two requests to a clinic; None: of its stanza, else 2; never below Crawl-delay
DOWNLOAD_DELAY_JITTER = 0  # default 0.5; jitter would go below the least delay
CONCURRENT_REQUESTS_PER_DOMAIN = 1  # default 8; one request at a time
RETRY_ENABLED = False  # default True; the spider retries, so that each attempt is a capture and Retry-After is obeyed
RETRY_TIMES = 2  # the default; used by the spider
RETRY_PAUSE = 5.0  # ours: seconds before the first retry, doubled for each further one
RETRY_AFTER_MAX = 300.0  # ours: seconds; a server that asks for a longer pause is left to the next run
REDIRECT_ENABLED = False  # default True; the spider follows, so that each hop is a capture and robots.txt is checked
METAREFRESH_ENABLED = False  # default True; the same
CONCURRENT_ITEMS = 1  # default 100; an answer gives one item, and Scrapy would start a task for each possible one
COOKIES_ENABLED = False  # default True; not needed, and with cookies Scrapy requests publicsuffix.org at the start
REFERER_ENABLED = False  # default True; sites need not know the referring page
DOWNLOADER_STATS = False  # default True; the archive counts answers and bytes
DEFAULT_REQUEST_HEADERS = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,application/json;q=0.9,*/*;q=0.8",
    "Accept-Encoding": "gzip, deflate",  # default adds br and zstd, which some WARC tools cannot read
}

# Limits
DOWNLOAD_TIMEOUT = 60  # default 180; a page that takes longer is tried again
DOWNLOAD_MAXSIZE = 32 * 1024 * 1024  # default 1 GiB; twenty times the largest post page seen, also after decoding
DOWNLOAD_WARNSIZE = 0  # default 32 MiB; DOWNLOAD_MAXSIZE refuses the answer already
CLOSESPIDER_TIMEOUT = 0  # the default

# Safety
TELNETCONSOLE_ENABLED = False  # default True; a port that runs code
REMOTE_CONTROL_ENABLED = False  # default True; the same
TWISTED_DNS_RESOLVER = "scraper.guard.GuardedResolver"  # refuses names that resolve to private addresses

# Rendering
BROWSER_EXECUTABLE = None  # ours: the Chromium to start; None: the first on PATH
BROWSER_PAGE_SECONDS = 45.0  # ours: limit for a page
BROWSER_QUIET_SECONDS = 10.0  # ours: without traffic, after which missing elements are given up

# Wiring
DOWNLOAD_HANDLERS = {  # Scrapy's own, and a browser for requests with a render target
    "http": "scraper.browser.RenderingHandler",
    "https": "scraper.browser.RenderingHandler",
}
DOWNLOADER_MIDDLEWARES = {
    "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": None,  # the plan limits requests to the site
    "scrapy.downloadermiddlewares.httpauth.HttpAuthMiddleware": None,  # no site needs a password
    "scrapy.downloadermiddlewares.httpcompression.HttpCompressionMiddleware": None,  # Decoding replaces it
    "pipelines.components.freshness.Freshness": 560,
    "pipelines.components.decoding.Decoding": 590,  # the place of Scrapy's own
    "scraper.guard.Guard": 760,  # after all that may change the address
    "pipelines.components.rendered.Rendered": 980,
    "pipelines.components.capture.CaptureMiddleware": 990,  # next to the downloader, where bodies are as served
}
SPIDER_MIDDLEWARES = {  # they cost time for every item and request that the spider yields
    "scrapy.spidermiddlewares.start.StartSpiderMiddleware": None,  # `is_start_request` is not used
    "scrapy.spidermiddlewares.httperror.HttpErrorMiddleware": None,  # error answers are parsed too
    "scrapy.spidermiddlewares.depth.DepthMiddleware": None,  # a visit is one chain of requests: depth has no meaning
    "scrapy.spidermiddlewares.metacopy.MetaCopyDetectionMiddleware": None,  # no meta is ever copied
}
ITEM_PIPELINES = {
    "pipelines.components.item_pipelines.Pseudonymise": 100,
    "pipelines.components.item_pipelines.Validate": 200,
    "pipelines.components.item_pipelines.Store": 300,
}
EXTENSIONS = {
    "pipelines.run.report.VisitReport": 0,
    "pipelines.components.feeds.PostFeeds": 0,
    "scrapy.extensions.feedexport.FeedExporter": None,  # PostFeeds exports whole posts instead of captures
    "scrapy.extensions.logstats.LogStats": None,  # default on; the run writes its own summary
}
FEED_EXPORT_ENCODING = "utf-8"  # default: ASCII with \\u escapes in JSON
