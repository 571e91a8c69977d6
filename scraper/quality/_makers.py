"""Markup that only walls, parking pages and error pages of one maker contain.

Makers also add scripts to the pages that they protect (`/cdn-cgi/challenge-platform/scripts/jsd/`, `js.datadome.co`,
`/_Incapsula_Resource?SWJIYLWA`): these are no signals. Sources: the makers' documentation of their own answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from scraper.items import Exchange
from scraper.quality._doubt import Doubt, Kind
from scraper.quality._headers import cache_reports_error
from scraper.quality._page import ShownPage

# Bytes; walls are small pages. The same words deep inside a megabyte of blog are a script's or a text's.
LARGEST = 120_000


class _Maker(NamedTuple):
    kind: Kind
    name: str
    marks: str  # one of these, in any case, a space between them; "_" stands for a space in a mark that begins with "~"
    pattern: str = ""  # besides, this pattern matches the markup in lower case; empty: a mark is enough


# Each proves by itself what the page is.
_PROOFS: Sequence[_Maker] = (
    # <script src="/cdn-cgi/challenge-platform/h/b/orchestrate/chl_page/v1">, window._cf_chl_opt, id="challenge-form"
    _Maker(
        "bot-challenge",
        "Cloudflare",
        "_cf_chl_ cf-chl- cf_chl_ cdn-cgi/challenge-platform/h/ cdn-cgi/styles/chall cf-browser-verification"
        " cf-im-under-attack",
    ),
    # <title>Just a moment...</title> with a script from /cdn-cgi/
    _Maker(
        "bot-challenge",
        "Cloudflare",
        "cdn-cgi",
        r"<title>\s{0,9}(?:just a moment\.{3}|attention required! \| cloudflare)\s{0,9}</title>",
    ),
    # var dd={'rt':'c','host':'geo.captcha-delivery.com'}
    _Maker("bot-challenge", "DataDome", "captcha-delivery.com captcha__frame captcha__puzzle"),
    # <div id="px-captcha">
    _Maker("bot-challenge", "HUMAN", "px-captcha", r"""(?:id|content)=["']?px-captcha"""),
    # <iframe src="/_Incapsula_Resource?SWUDNSAI=31&incident_id=...">
    _Maker(
        "bot-challenge",
        "Imperva",
        "_incapsula_resource?swudnsai _incapsula_resource?cwudnsai ~incapsula_incident_id",
    ),
    _Maker("bot-challenge", "Imperva", "~pardon_our_interruption", r"<title>\s{0,9}pardon our interruption"),
    # window.gokuProps = {"key": ...}, <div class="amzn-captcha-modal">
    _Maker(
        "bot-challenge",
        "AWS WAF",
        "gokuprops amzn-captcha- awswafintegration.checkforcerefresh awswafintegration.forcerefresh"
        " awswafcaptcha.rendercaptcha /errors/validatecaptcha",
    ),
    # <div id="sec-if-cpt-container">, <iframe id="sec-cpt-if" provider="crypto">
    _Maker(
        "bot-challenge",
        "Akamai",
        "sec-if-c sec-cpt- sec-bc- /_sec/cp_challenge/ errors.edgesuite.net triggerinterstitialchallenge",
    ),
    # <H1>Access Denied</H1> ... Reference&#32;&#35;18.9c1f1702
    _Maker("bot-challenge", "Akamai", "reference&#32;&#35;"),
    # <meta http-equiv="refresh" content="0;/.well-known/sgcaptcha/?r=%2F">
    _Maker("bot-challenge", "SiteGround", ".well-known/sgcaptcha/ .well-known/captcha/"),
    _Maker("bot-challenge", "DDoS-Guard", "/ddos-guard/js-challenge .well-known/ddos-guard/check"),
    _Maker("bot-challenge", "Vercel", "~vercel_security_checkpoint vercel.link/security-checkpoint"),
    # <script id="anubis_challenge" type="application/json">
    _Maker("bot-challenge", "Anubis", "anubis_challenge anubis_version .within.website/x/cmd/anubis/"),
    _Maker("bot-challenge", "Go-away", ".well-known/.git.gammaspectra.live /go-away/cmd/"),
    _Maker("bot-challenge", "Basedflare", "/.basedflare/"),
    # <form action="/.lsrecap/recaptcha?" id="lsrecaptcha-form">
    _Maker("bot-challenge", "LiteSpeed", "/.lsrecap/ lsrecaptcha-form"),
    _Maker("bot-challenge", "Sucuri", "sucuri_cloudproxy_js ~sucuri_website_firewall_-"),
    _Maker("bot-challenge", "Imunify360", "wsidchk imunify360-webshield /.imunify/"),
    _Maker("bot-challenge", "Wordfence", "~generated_by_wordfence"),
    # toHex(slowAES.decrypt(c,2,a,b)), the module testcookie
    _Maker("bot-challenge", "a cookie test", "slowaes.decrypt"),
    _Maker("bot-challenge", "Kasada", "kpsdk. /149e9513-01fa-4fb0-aad4-566afd725d1b/", r"window\.kpsdk|/149e9513-"),
    _Maker("bot-challenge", "Radware", "validate.perfdrive.com"),
    # The script of the page sets window["bobcmn"]
    _Maker("bot-challenge", "F5", """window["bobcmn"] ~<title>request_rejected</title>"""),
    _Maker("bot-challenge", "Reblaze", "window.rbzns"),
    _Maker("bot-challenge", "StackPath", "/sbbi/?sbbpg="),
    # acw_sc__v2, the cookie that the page's script works out
    _Maker("bot-challenge", "Alibaba Cloud", "acw_sc__v2 acw_sc__v3 aliyun_waf_aa aliyun_waf_bb aliyunwaf_"),
    _Maker("bot-challenge", "Knownsec", "__jsl_clearance"),
    _Maker("bot-challenge", "Yunsuo", "security_verify_data security_verify_img yunsuo_session"),
    _Maker("bot-challenge", "Tencent EdgeOne", "eo_bot_ssid __tst_status"),
    _Maker("bot-challenge", "Qrator", "/__qrator/"),
    _Maker("bot-challenge", "Yandex", "/showcaptcha? /checkcaptcha? /checkcaptchafast"),
    # <form id="captcha-form" action="index" ...> at /sorry/index
    _Maker("bot-challenge", "Google", "/sorry/index? /sorry/image?", r"""action=["']?\S{0,40}(?:/sorry/)?index"""),
    _Maker("bot-challenge", "CrowdSec", "~<title>crowdsec"),
    _Maker("bot-challenge", "BunkerWeb", "bunkerweb", r"<title>[^<]{0,60}(?:bunkerweb|bot detection)"),
    # <script src="//www.google.com/adsense/domains/caf.js">, jsparkcaf.php, window.park = "..."
    _Maker(
        "parked",
        "a parking service",
        "adsense/domains/caf.js jsparkcaf parkingcrew. sedoparking. data-adblockkey= ~window.park_= window.park="
        " parking-lander lander_system parklogic. d1lxhc4jvstzrp.cloudfront namebrightstatic."
        " domain_parking domainparking.",
    ),
    _Maker(
        "suspended",
        "cPanel",
        "/cgi-sys/suspendedpage.cgi ~account_suspended",
        r"suspendedpage\.cgi|cpanel\.(?:com|net)|<title>\s{0,9}account suspended\s{0,9}</title>",
    ),
    _Maker("parked", "cPanel", "/cgi-sys/defaultwebpage.cgi"),
    # <title>Welcome to nginx!</title>, <title>Apache2 Ubuntu Default Page: It works</title>
    _Maker(
        "parked",
        "a server without a site",
        "~welcome_to_nginx default ~iis_windows ~index_of_/ ~test_page ~it_works!",
        r"<title>\s{0,9}(?:welcome to nginx!|apache2 [a-z]{2,12} default page[^<]{0,20}|iis windows[^<]{0,20}"
        r"|index of /|(?:default web site|domain default|default) page|[a-z ]{0,20}test page for the [^<]{0,60}"
        r"|it works!)\s{0,9}</title>",
    ),
    # <html ng-app="wixErrorPagesApp">
    _Maker("error-page", "Wix", "wixerrorpagesapp"),
    # <H1>Server Error in '/' Application.
    _Maker("error-page", "ASP.NET", "~server_error_in_'", r"<h1>\s{0,9}server error in '[^'<]{0,200}' application"),
)

# Each is a signal only on a page that shows little: real sites also contain it.
_SCAFFOLDS: Sequence[_Maker] = (
    # class="elementor-maintenance-mode", /wp-content/plugins/wp-maintenance-mode/
    _Maker(
        "maintenance",
        "a maintenance plugin",
        "maintenance-mode in-maintenance maintenance-page maintenance-wrapper templates/system/css/offline"
        " plugins/maintenance plugins/lj-maintenance /maintenance.css /maintenance.js",
    ),
    _Maker(
        "coming-soon",
        "a plugin for unfinished sites",
        "plugins/coming-soon plugins/under-construction plugins/cmp-coming-soon plugins/minimal-coming-soon"
        " plugins/nifty-coming-soon seedprod coming-soon-page comingsoon-page coming_soon_page coming-soon-mode"
        " coming-soon-template csmm- ucp-container /coming-soon.css /comingsoon.css elementor-countdown",
    ),
    _Maker(
        "login-wall",
        "a password page",
        "login-action-login login-password-protected password-protected- ghost/assets/private /site-lock.css"
        ' "websitelock":true sqs-slice-password template-password /password_page post-password-form wp-login.php',
    ),
    _Maker(
        "consent-wall",
        "a consent service",
        "privacy-gate privacygate cookie-wall cookiewall consent-wall consentwall purewall age-gate agegate age-verif"
        " consent.yahoo.com consent.google.com guce.",
    ),
    # <b>Fatal error</b>: Uncaught Error ... on line <b>41</b>
    _Maker("error-page", "PHP", "~fatal_error ~parse_error", r"(?:fatal|parse) error(?:</b>)?: "),
    _Maker(
        "error-page",
        "a database",
        "sqlstate[ mysql_connect mysqli_connect ~error_establishing_a_database ~could_not_connect_to_mysql"
        " ~could_not_connect_to_the_database ~can't_connect_to_mysql ~can't_connect_to_local",
    ),
    _Maker(
        "error-page",
        "a program",
        "~traceback_(most_recent ~a_client-side_exception ~a_server-side_exception ~unhandled_exception"
        " ~whoops,_looks_like ~django_version: ~werkzeug_debugger",
    ),
    # <title>503 Service Unavailable</title>
    _Maker("error-page", "a server", "<title>4 <title>5 ~<title>error", r"<title>\s{0,9}(?:error )?[45]\d\d\b"),
)
# Markup of a test for robots. Forms to write to a clinic, and whole sites behind a firewall, contain it, too.
_TESTS: Sequence[_Maker] = (
    _Maker(
        "bot-challenge",
        "a captcha",
        "g-recaptcha grecaptcha h-captcha hcaptcha.com challenges.cloudflare cdn-cgi/challenge-platform cf-turnstile"
        " frc-captcha altcha-widget geetest smart-captcha smartcaptcha mcaptcha tencentcaptcha /tspd/"
        " _incapsula_resource datadome _pxappid captchaform captcha-form captcha_form captcha-container",
    ),
    # document.cookie="k=1"; ... location.reload()
    _Maker(
        "bot-challenge",
        "a cookie test",
        "document.cookie",
        r"document\.cookie\s{0,3}=[^<]{0,900}?\blocation\.(?:reload\s?\(|href\s?=|replace\s?\(|assign)"
        r"|\blocation\.(?:reload\s?\(|href\s?=)[^<]{0,300}?document\.cookie\s?=",
    ),
)
_MAX_SHOWN = 700  # characters beyond which a page shows enough to be a site's own
_FEW = 260
_NO_MORE = 60


def _compiled(makers: Sequence[_Maker]) -> list[tuple[_Maker, tuple[bytes, ...], re.Pattern[bytes] | None]]:
    return [
        (
            maker,
            tuple(_mark(mark) for mark in maker.marks.split()),
            re.compile(maker.pattern.encode()) if maker.pattern else None,
        )
        for maker in makers
    ]


def _mark(mark: str) -> bytes:
    """Return the bytes of a mark: "~fatal_error" is "fatal error"."""
    return (mark[1:].replace("_", " ") if mark.startswith("~") else mark).encode()


_PROOF, _SCAFFOLD, _TEST = _compiled(_PROOFS), _compiled(_SCAFFOLDS), _compiled(_TESTS)


@lru_cache(maxsize=4)  # the platform asks about the same page again
def by_maker(body: bytes) -> Doubt | None:
    """Return whose page it is by markup that only such pages contain; None for any other page."""
    maker = next(_found(_PROOF, body.lower()), None)
    return None if maker is None else Doubt(maker.kind, f"markup of {maker.name}", maker.name)


def by_scaffold(exchange: Exchange, page: ShownPage) -> Doubt | None:
    """Return what a page that shows little is, by markup that makers also add to real pages."""
    if page.links > 3 or page.length > _MAX_SHOWN or page.blocks > 3:
        return None
    if cache_reports_error(exchange):
        return Doubt("error-page", "the response header x-cache reports an error, and the page shows nearly nothing")
    for maker in _found(_SCAFFOLD, exchange.body.lower()):
        if _is_enough(maker, page):
            return Doubt(maker.kind, f"markup of {maker.name} on a page that shows nearly nothing else", maker.name)
    return None


def has_test(exchange: Exchange, page: ShownPage) -> bool:
    """Return whether the page tests its visitors, and is no form to write to the clinic."""
    return not page.has_fields and any(_found(_TEST, exchange.body.lower()))


def by_test(page: ShownPage) -> Doubt | None:
    """Return whether the page shows nothing but a test for robots, not even words."""
    if not page.has_test or page.length > _NO_MORE or page.links:
        return None
    return Doubt("bot-challenge", "the page shows nothing but a test for robots")


def _found(
    makers: Iterable[tuple[_Maker, tuple[bytes, ...], re.Pattern[bytes] | None]], markup: bytes
) -> Iterator[_Maker]:
    """Return the makers whose markup the page contains; `markup`: in lower case."""
    return (
        maker
        for maker, marks, pattern in makers
        if any(mark in markup for mark in marks) and (pattern is None or pattern.search(markup))
    )


def _is_enough(maker: _Maker, page: ShownPage) -> bool:
    """Return whether the page shows so little that markup of this kind explains it."""
    if maker.kind == "login-wall":
        return page.has_password
    return page.length <= _FEW or page.links <= 1
