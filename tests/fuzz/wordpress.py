"""WordPress: answers of its API, pages and feeds with whole texts, each small and written by hand."""

from __future__ import annotations

import json

SITE = "https://fern.example"
PERSON = "0bc83cb571cd1c50ba6f3e8a78ef1346"

POST_ROW = {
    "id": 7,
    "date": "2024-03-31T03:30:00",
    "date_gmt": "2024-03-31T02:30:00",
    "modified_gmt": "2024-04-01T08:00:00",
    "guid": {"rendered": f"{SITE}/?p=7"},
    "link": f"{SITE}/sleep/",
    "slug": "sleep",
    "type": "post",
    "author": 2,
    "status": "publish",
    "title": {"rendered": "Sleep &#038; rest"},
    "excerpt": {"rendered": "<p>Words [&hellip;]</p>"},
    "content": {"rendered": "<p>Rest <b>well</b>. <a href='/b/'>More</a></p><img src='/a.jpg' alt='A'>"},
    "categories": [1],
    "tags": [],
    "views": "29",
    "_embedded": {"author": [{"name": "Dr. Fern"}], "wp:term": [[{"taxonomy": "category", "name": "Sleep"}]]},
}
COMMENT_ROW = {
    "id": 31,
    "post": 7,
    "parent": 30,
    "author": 0,
    "author_name": "Rosa",
    "author_url": "https://rosa.example/",
    "date": "2024-04-02T10:00:00",
    "date_gmt": "2024-04-02T08:00:00",
    "content": {"rendered": "<p>Thanks.</p>"},
    "type": "comment",
    "status": "approved",
    "author_avatar_urls": {"96": f"https://secure.gravatar.com/avatar/{PERSON}"},
    "_links": {"up": [{"embeddable": True, "post_type": "post"}]},
}
TYPES = {
    "news": {
        "slug": "news",
        "has_archive": True,
        "hierarchical": False,
        "taxonomies": ["news_category"],
        "rest_base": "news",
        "rest_namespace": "wp/v2",
    }
}
ROOT = {"name": "Fern", "url": SITE, "timezone_string": "", "gmt_offset": "5.5"}
WORDPRESS_ANSWERS = [json.dumps(value).encode() for value in ([POST_ROW], [COMMENT_ROW], TYPES, ROOT)]
WORDPRESS_URLS = [
    f"{SITE}/wp-json/wp/v2/posts?per_page=100&page=2",
    f"{SITE}/wp-json/wp/v2/comments?per_page=100&page=1&orderby=id&order=asc",
    f"{SITE}/wp-json/wp/v2/types",
    f"{SITE}/?rest_route=/",
    f"{SITE}/wp-json/wp/v2/categories?post=7",
]
_HEAD = (
    '<meta name="generator" content="{maker}"><meta property="article:published_time" content="2024-03-01T10:00:00Z">'
    '<script type="application/ld+json">{{"@type":"BlogPosting","datePublished":"2024-03-01","commentCount":2,'
    '"author":{{"@type":"Person","name":"Dr. Fern"}},"interactionStatistic":[{{"interactionType":"LikeAction",'
    '"userInteractionCount":3}}]}}</script><link rel="canonical" href="/sleep/"><title>Sleep</title>'
)


def page(maker: str, body: str, attributes: str = "") -> bytes:
    """A page of a maker."""
    return f'<html lang="en"><head>{_HEAD.format(maker=maker)}</head><body {attributes}>{body}</body></html>'.encode()


_COMMENTS = (
    '<ol class="comment-list"><li id="comment-31" class="comment byuser comment-author-rosa"><div class="comment-body">'
    f'<img class="avatar" src="https://secure.gravatar.com/avatar/{PERSON}"><b class="fn">Rosa</b> says:'
    '<a href="#comment-31"><time datetime="2024-03-02T10:00:00+00:00">March 2, 2024</time></a>'
    '<div class="comment-content"><p>Thanks.</p></div></div><ul class="children">'
    '<li id="li-comment-32" class="pingback">'
    'Pingback: <a class="url" href="https://other.example/">Other</a></li></ul></li></ol>'
    '<a href="/sleep/comment-page-2/#comments">Older</a><div id="wpd-comm-40_31" class="wpd-comment">'
    '<div class="wpd-comment-text">Two</div><div class="wpd-vote-result">3</div></div>'
)
_ARTICLE = (
    '<article id="post-7" class="post-7 post type-post"><h1 class="entry-title">Sleep</h1><span class="author vcard">'
    '<a rel="author" href="/author/fern/">Dr. Fern</a></span><time class="entry-date" datetime="2024-03-01">1 March'
    '</time><span class="post-views">1,204 views</span><div class="entry-content"><p>Rest well, and wake late.</p>'
    '<ol class="wp-block-latest-comments"><li>Rosa on Sleep</li></ol><img src="/a.jpg"><iframe '
    'src="https://www.youtube.com/embed/a"></iframe></div></article>'
)
WORDPRESS_PAGES = [
    page(
        "WordPress 6.5",
        _ARTICLE + f'<div id="comments"><h2>2 Comments</h2>{_COMMENTS}</div>',
        'class="single postid-7"',
    ),
    page(
        "WordPress 6.5",
        '<main><article class="post-7 post"><h2><a href="/sleep/">Sleep</a></h2></article></main>',
        'class="blog"',
    ),
    page(
        "WordPress",
        '<form class="post-password-form" action="/wp-login.php?action=postpass"><p>a</p></form>',
        'class="single single-post postid-8"',
    ),
]
FEEDS = [
    f"<rss version='2.0' xmlns:content='http://purl.org/rss/1.0/modules/content/' "
    f"xmlns:slash='http://purl.org/rss/1.0/modules/slash/'><channel><title>Fern</title><item><title>Sleep</title>"
    f"<link>{SITE}/sleep/</link><guid>{SITE}/?p=7</guid><pubDate>Fri, 01 Mar 2024 10:00:00 GMT</pubDate>"
    "<description>Rest [&#8230;]</description><content:encoded><![CDATA[<p>Rest well.</p><p>The post <a href="
    f"'{SITE}/sleep/'>Sleep</a> appeared first on <a href='{SITE}'>Fern</a>.</p>]]></content:encoded>"
    "<slash:comments>2</slash:comments></item></channel></rss>".encode(),
    f"<feed xmlns='http://www.w3.org/2005/Atom' xmlns:thr='http://purl.org/syndication/thread/1.0'><entry>"
    f"<title type='html'>Sleep &amp;lt;b</title><link rel='alternate' href='{SITE}/sleep/'/><id>{SITE}/?p=7</id>"
    "<author><name>Dr. Fern</name></author><updated>2024-03-01T10:00:00Z</updated><thr:total>2</thr:total>"
    "<content type='html'>&lt;p&gt;Rest.&lt;/p&gt;</content></entry></feed>".encode(),
]
