"""Pages and answers of other platforms, and of comment services with their marks, each small and written by hand."""

from __future__ import annotations

import json

from tests.fuzz.wordpress import SITE, page

_PARTS = (
    '<main><h1 class="post-title entry-title">Sleep</h1><span class="author">Dr. Fern</span>'
    '<time datetime="2024-03-01">1 March 2024</time><div class="post-body"><p>Rest well, wake late, '
    "and drink a glass of water "
    'in the morning before anything else; walk for an hour, and read a page of a book in the evening.</p><a href="http://fern.example/b">b</a>'
    '</div><div id="comments"><h4>2 comments</h4><div class="indented"><article id="comment-12" class="comment">'
    '<span class="username" about="/user/3">Rosa</span><mark data-comment-timestamp="1709280000"></mark><div '
    'class="comment-body">Thanks, <a href="/c">this</a> helps.</div></article></div><li class="comment" id="c1234567">'
    '<cite class="user">Ilse</cite><a class="datetime" href="/sleep?showComment=1709280000000#c1234567">1 March</a>'
    '<p class="comment-content">Good.</p></li><ul class="pager"><a href="?page=1">2</a></ul></div></main>'
)
MAKERS = (
    "generic",
    "drupal",
    "blogger",
    "squarespace",
    "substack",
    "shopify",
    "hubspot",
    "webflow",
    "medium",
    "joomla",
    "ghost",
)
PAGES = [
    page("Drupal 10", _PARTS, 'class="page-node-type-blog"'),
    page(
        "Ghost 5",
        _PARTS + '<script data-ghost="https://fern.example/" data-key="00112233445566778899aa" data-api='
        '"https://fern.example/ghost/api/content/" src="/p.js"></script><article class="post" data-post-id='
        '"6944354ce1b6fe0001f62bf0"></article>',
        'class="post-template"',
    ),
    page(
        "Squarespace",
        _PARTS + '<div class="squarespace-comments" data-item-id="0123456789abcdef01234567" '
        'data-public-comment-count="2"></div>',
        'id="item-0123456789abcdef01234567"',
    ),
    page(
        "Substack",
        _PARTS + '<script>window._preloads        = JSON.parse("{\\"post\\":{\\"id\\":9,\\"audience\\":'
        '\\"only_paid\\",\\"reaction_count\\":3}}")</script><div class="paywall"></div>',
    ),
    page("Medium", _PARTS + '<h2>Responses (12)</h2><span data-testid="storyPublishDate">Mar 3, 2024</span>'),
]
_BLOGGER = {
    "feed": {
        "openSearch$totalResults": {"$t": "1"},
        "entry": [
            {
                "id": {"$t": "tag:blogger.com,1999:blog-12345.post-345678"},
                "published": {"$t": "2024-03-01T10:00:00Z"},
                "title": {"$t": "Sleep"},
                "content": {"$t": "<p>Rest.</p>"},
                "author": [{"name": {"$t": "Rosa"}, "uri": {"$t": "u"}}],
                "link": [{"rel": "alternate", "href": f"{SITE}/2024/03/sleep.html"}],
                "thr$total": {"$t": "2"},
            }
        ],
    }
}
_SUBSTACK = {
    "comments": [
        {
            "id": 4,
            "name": "Rosa",
            "user_id": 5,
            "body": "Hm",
            "date": "2024-03-01T10:00:00Z",
            "reaction_count": 2,
            "children": [{"id": 5}],
        }
    ]
}
_ARCHIVE = [
    {
        "id": 9,
        "canonical_url": f"{SITE}/p/sleep",
        "title": "Sleep",
        "post_date": "2024-03-01T10:00:00Z",
        "reaction_count": 2,
        "comment_count": 1,
    }
]
_SQUARESPACE = {
    "websiteId": "a",
    "items": [
        {
            "id": "0123456789abcdef01234567",
            "fullUrl": "/blog/sleep",
            "body": "<p>a</p>",
            "publishOn": 1709280000000,
            "likeCount": 3,
            "title": "Sleep",
            "author": {"displayName": "Dr. Fern"},
        }
    ],
    "pagination": {"nextPageUrl": "/blog?offset=1"},
}
_GHOST = {
    "posts": [
        {
            "id": "6944354ce1b6fe0001f62bf0",
            "url": f"{SITE}/sleep/",
            "title": "Sleep",
            "html": "<p>Rest.</p>",
            "authors": [{"name": "Dr. Fern"}],
            "published_at": "2024-03-01T10:00:00.000Z",
            "visibility": "public",
        }
    ],
    "meta": {"pagination": {"next": 2}},
}
_MEMBERS = {
    "comments": [
        {
            "id": "6944354ce1b6fe0001f62bf1",
            "status": "published",
            "html": "<p>Hm</p>",
            "count": {"likes": 2, "replies": 4},
            "created_at": "2024-03-01T10:00:00.000Z",
            "member": {"uuid": "u", "name": "Rosa"},
            "replies": [{"id": "6944354ce1b6fe0001f62bf2"}],
        }
    ],
    "meta": {"pagination": {"next": 2, "total": 5}},
}
ANSWERS = [json.dumps(value).encode() for value in (_BLOGGER, _SUBSTACK, _ARCHIVE, _SQUARESPACE, _GHOST, _MEMBERS)]
POST_ID = "6944354ce1b6fe0001f62bf0"
ANSWER_URLS = [
    ("blogger", f"{SITE}/feeds/posts/default?alt=json"),
    ("blogger", f"{SITE}/feeds/345678/comments/default?alt=json"),
    ("substack", f"{SITE}/api/v1/archive?offset=0"),
    ("substack", f"{SITE}/api/v1/post/9/comments"),
    ("squarespace", f"{SITE}/blog?format=json"),
    ("ghost", f"{SITE}/ghost/api/content/posts/?key=00112233445566778899"),
    ("ghost", f"{SITE}/members/api/comments/post/{POST_ID}/?limit=100&page=1"),
    ("ghost", f"{SITE}/members/api/comments/{POST_ID}/replies/?page=1&post_id={POST_ID}"),
    ("ghost", f"{SITE}/members/api/comments/counts/?ids={POST_ID}"),
]
_DISQUS = {
    "response": {
        "thread": {"posts": 2},
        "posts": [
            {
                "id": "1",
                "parent": 2,
                "message": "<p>Hm</p>",
                "likes": 1,
                "createdAt": "2024-03-01T10:00:00",
                "author": {"name": "Rosa", "username": "rosa"},
            }
        ],
    },
    "cursor": {"hasNext": True},
}
_ISSO = {
    "total_replies": 2,
    "hidden_replies": 0,
    "replies": [
        {
            "id": 1,
            "mode": 1,
            "text": "<p>Hm</p>",
            "author": "Rosa",
            "created": 1709280000.5,
            "hash": "a1b2",
            "likes": 1,
            "modified": None,
            "replies": [{"id": 2, "mode": 4}],
        }
    ],
}
_REMARK = {
    "info": {"count": 2},
    "comments": [
        {
            "comment": {
                "id": "a",
                "text": "<p>Hm</p>",
                "user": {"name": "Rosa", "id": "b"},
                "time": "2024-03-01T10:00:00Z",
            },
            "replies": [{"comment": {"id": "c", "pid": "a"}}],
        }
    ],
}
_GISCUS = {
    "discussion": {
        "totalCommentCount": 1,
        "totalReplyCount": 1,
        "pageInfo": {"hasNextPage": True, "endCursor": "x"},
        "comments": [
            {
                "id": "a",
                "bodyHTML": "<p>Hm</p>",
                "author": {"login": "rosa"},
                "replyCount": 2,
                "upvoteCount": 1,
                "createdAt": "2024-03-01T10:00:00Z",
                "replies": [{"id": "b"}],
            }
        ],
    }
}
_HUBSPOT = {
    "total": 1,
    "objects": [
        {"id": 1, "comment": "<p>Hm</p>", "userName": "Rosa", "createdAt": 1709280000000, "children": [{"id": 2}]}
    ],
}
_COUNTS = [{"url": f"{SITE}/sleep/", "count": 3}]
SERVICE_ANSWERS = [
    f'<html><script type="text/json" id="disqus-threadData">{json.dumps(_DISQUS)}</script></html>'.encode(),
    *(json.dumps(value).encode() for value in (_ISSO, _REMARK, _GISCUS, _HUBSPOT, _COUNTS, [3, 4])),
]
SERVICE_URLS = [
    "https://disqus.com/embed/comments/?base=default&f=fern&t_u=https%3A%2F%2Ffern.example%2Fsleep",
    "https://isso.example/?uri=%2Fsleep%2F&plain=0",
    "https://isso.example/count?plain=0",
    "https://remark.example/api/v1/find?site=fern&url=https%3A%2F%2Ffern.example%2Fsleep&format=tree&sort=%2Btime",
    "https://remark.example/api/v1/counts?site=fern",
    "https://giscus.app/api/discussions?repo=fern%2Fsite&term=sleep&number=0&category=&strict=false&first=100",
    "https://api.hubapi.com/comments/v3/comments/thread/public?portalId=1&contentId=2&collectionId=3",
]
MARKED_PAGES = [
    page(
        "Jekyll",
        '<div id="disqus_thread"></div><script>var disqus_shortname = "fern"; this.page.identifier = "7";'
        'this.page.url = "https:\\/\\/fern.example\\/sleep";</script>'
        '<script src="//fern.disqus.com/embed.js"></script>',
    ),
    page(
        "Jekyll",
        '<script data-isso="//isso.example/" src="/embed.js"></script><section id="isso-thread" '
        'data-isso-id="/sleep/"></section>',
    ),
    page(
        "Jekyll",
        '<script>var remark_config = {host: "https://remark.example", site_id: \'fern\', url: "/sleep"}</script>',
    ),
    page(
        "Jekyll",
        '<script src="https://giscus.app/client.js" data-repo="fern/site" data-mapping="og:title"></script>'
        '<script src="https://giscus.app/client.js" data-repo="a/b" data-mapping="number" data-term="7"></script>',
    ),
    page(
        "HubSpot",
        '<div id="comments-listing"></div><script>var commentsUrl = "https://api-na1.hubapi.com/comments/v3/'
        'comments/thread/public?portalId=1&contentId=2&collectionId=3";</script><div class="fb-comments" '
        'data-href="https://fern.example/"></div>',
    ),
]
