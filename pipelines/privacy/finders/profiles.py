"""Addresses of people's accounts on social platforms, and of pages below them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pipelines.privacy.finders.spans import Span

# First parts of a path that are pages of the platform, and nobody's account.
_PAGES = {
    "about",
    "accounts",
    "ads",
    "business",
    "compose",
    "dialog",
    "directory",
    "discover",
    "events",
    "event",
    "explore",
    "feed",
    "gaming",
    "groups",
    "group",
    "hashtag",
    "hashtags",
    "help",
    "home",
    "i",
    "ideas",
    "intent",
    "jobs",
    "join",
    "joinchat",
    "legal",
    "login",
    "marketplace",
    "media",
    "messages",
    "notifications",
    "p",
    "pages",
    "permalink.php",
    "photo",
    "photo.php",
    "photos",
    "pin",
    "plugins",
    "policies",
    "posts",
    "privacy",
    "public",
    "reel",
    "reels",
    "r",
    "search",
    "settings",
    "share",
    "sharer",
    "sharer.php",
    "share.php",
    "signup",
    "story.php",
    "support",
    "tag",
    "tags",
    "terms",
    "topics",
    "tos",
    "tr",
    "tv",
    "video",
    "videos",
    "watch",
    "web",
    "wall",
    "club",
    "company",
    "school",
}
_NAME = r"([^/?#\s]+)"
# The path of an account by platform; a host is followed by its own subdomains ("de.linkedin.com", "m.facebook.com").
_PATHS = {
    rf"/(?:stories/)?@?{_NAME}": (
        "instagram.com",
        "x.com",
        "twitter.com",
        "pinterest.com",
        "pinterest.de",
        "pinterest.co.uk",
        "pinterest.fr",
        "pinterest.es",
        "twitch.tv",
        "t.me",
        "telegram.me",
        "vk.com",
        "vk.ru",
        "github.com",
        "soundcloud.com",
        "patreon.com",
        "onlyfans.com",
        "linktr.ee",
        "about.me",
        "paypal.me",
        "venmo.com",
        "cash.app",
        "ko-fi.com",
        "gravatar.com",
        "substack.com",
        "instagr.am",
        "threads.net",
        "threads.com",
    ),
    rf"/(?:profile\.php\?(?:[^#\s]*&)?(id=\d+)|(?:people|public)/{_NAME}|{_NAME})": (
        "facebook.com",
        "fb.com",
        "fb.me",
        "m.me",
    ),
    rf"/@{_NAME}": ("tiktok.com", "medium.com", "mastodon.social", "mas.to", "mstdn.social", "vimeo.com"),
    rf"/(?:@|user/|c/|channel/){_NAME}": ("youtube.com",),
    rf"/(?:in|pub)/{_NAME}": ("linkedin.com",),
    r"/\+?(\d{6,})": ("wa.me",),
    r"/send/?\?(?:[^#\s]*&)?phone=(\S+)": ("whatsapp.com",),
    rf"/(?:user|u)/{_NAME}": ("reddit.com",),
    rf"/(?:add/|@){_NAME}": ("snapchat.com",),
    rf"/profile/{_NAME}": ("ok.ru", "bsky.app", "quora.com", "nextdoor.com", "xing.com", "blogger.com"),
    rf"/(?:people|photos)/{_NAME}": ("flickr.com",),
    rf"/by/{_NAME}": ("disqus.com",),
    rf"/users?/{_NAME}": ("discord.com", "spotify.com", "goodreads.com", "letterboxd.com"),
    rf"/(?:athletes|id|profiles)/{_NAME}": ("strava.com", "steamcommunity.com"),
}
_BY_HOST = {host: re.compile(path, re.IGNORECASE) for path, hosts in _PATHS.items() for host in hosts}
# "https://www.example.com/a" -> host, path with query
_PARTS = re.compile(r"(?:https?://)?(?P<host>[^/?#:]+)(?::\d+)?(?P<path>[/?#].*)?", re.IGNORECASE | re.DOTALL)


def profiles(text: str, addresses: Iterable[tuple[int, int]]) -> Iterator[Span]:
    """Yield those of the `addresses` in a text that are of a person's account."""
    for start, end in addresses:
        if _is_profile(text[start:end]):
            yield Span("profile", start, end)


def _is_profile(address: str) -> bool:
    parts = _PARTS.fullmatch(address)
    if parts is None or not parts["path"]:
        return False
    labels = parts["host"].lower().split(".")
    known = (_BY_HOST.get(".".join(labels[first:])) for first in range(len(labels) - 1))
    path = next(filter(None, known), None)
    match = path.match(parts["path"]) if path else None
    if match is None:
        return False
    name = next(filter(None, match.groups()), "")
    return name.lower() not in _PAGES and any(letter.isalnum() for letter in name) and not name.startswith("+")
