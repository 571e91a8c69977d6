"""The JSON shapes of posts, categories, tags and comments (reference 2.2, 3.3 to 3.5 and 6).

One place for all of them, since the same objects stand in API answers, in warm-up data and behind the page's script.
"""

from __future__ import annotations

from .chrome import BLOG_APP
from .model import Comment, Image, Person, Post, Run, digest, iso, stable_uuid
from .ricos import Json, paragraph, rich_content
from .world import Counters, World


def label_slug(label: str) -> str:
    """The slug of a category or tag."""
    stored = "".join(char if char.isalnum() else " " for char in label.lower())
    return "-".join(stored.split())


# ---- posts


def media_image(image: Image) -> Json:
    """A picture as post objects name it."""
    return {"id": image.uri, "url": image.url, "height": image.height, "width": image.width}


def _cover(post: Post) -> Json:
    if not post.cover:
        return {"displayed": True, "custom": False}
    return {"wixMedia": {"image": media_image(post.cover)}, "displayed": True, "custom": False}


def owner(person: Person) -> Json:
    """The author as post objects carry it."""
    return {
        "activityStatus": "UNKNOWN",
        "contactId": stable_uuid("contact", person.key),
        "id": person.person_id,
        "image": {"id": person.photo, "url": "", "height": 0, "width": 0},
        "name": person.name,
        "privacyStatus": "UNKNOWN",
        "siteMemberId": person.person_id,
        "slug": person.slug,
        "status": "UNKNOWN",
        "isBlocked": False,
        "isOwner": False,
        "appStore": {BLOG_APP: {"permissions": {"role": "writer"}}},
    }


def category(label: str, count: int, position: int, base: str) -> Json:
    """A category object."""
    slug = label_slug(label)
    return {
        "id": stable_uuid("category", label),
        "label": label,
        "postCount": count,
        "url": {"base": base, "path": f"/blog/categories/{slug}"},
        "title": "",
        "rank": position,
        "displayPosition": position,
        "language": "en",
        "slug": slug,
        "seoData": {"tags": []},
        "translations": [],
    }


def tag(label: str, count: int, base: str) -> Json:
    """A tag object."""
    slug = label_slug(label)
    return {
        "id": stable_uuid("tag", label),
        "label": label,
        "slug": slug,
        "publicationCount": count,
        "postCount": count,
        "url": {"base": base, "path": f"/blog/tags/{slug}"},
        "publishedPostCount": count,
        "language": "en",
    }


def metrics(counters: Counters) -> Json:
    """Counters as lists and older posts carry them."""
    return {
        "comments": counters.comments,
        "likes": counters.likes,
        "views": counters.views,
        "totalRatings": 0,
        "averageRating": 0,
    }


def post_object(post: Post, base: str, counters: Counters | None = None, content: bool = True) -> Json:
    """The post itself. `counters` adds the metrics that posts of 2024 still carried."""
    made: Json = {
        "id": post.post_id,
        "title": post.title,
        "excerpt": post.excerpt(),
        "firstPublishedDate": iso(post.published),
        "lastPublishedDate": iso(post.modified),
        "url": {"base": base, "path": post.path},
        "slug": post.slug,
        "featured": False,
        "pinned": False,
        "categoryIds": [stable_uuid("category", label) for label in post.categories],
        "memberId": post.author.person_id,
        "hashtags": [],
        "commentingEnabled": post.counters != "views-only",
        "minutesToRead": post.minutes,
        "tagIds": [stable_uuid("tag", label) for label in post.tags],
        "relatedPostIds": [],
        "pricingPlanIds": [stable_uuid("plan")] if post.members_only else [],
        "language": post.language,
        "seoData": {"tags": [], "settings": {"preventAutoRedirect": False, "keywords": []}},
        "contactId": stable_uuid("contact", post.author.key),
        "contentId": digest("content", post.birth_slug)[:24],
        "mostRecentContributorId": post.author.person_id,
        "media": _cover(post),
        "translations": [],
        "customExcerpt": False,
        "internalId": post.internal_id,
        "internalCategoryIds": [digest("category", label)[:24] for label in post.categories],
        "internalRelatedPostIds": [],
        "isLiked": False,
        "isSubscribed": False,
        "owner": owner(post.author),
        "preview": post.members_only,
        "link": base + post.path,
    }
    if content:
        made["richContent"] = rich_content(post, base)
    if counters:
        made["metrics"] = metrics(counters)
        made["postCountInfo"] = {"comments": counters.comments, "likes": counters.likes, "views": counters.views}
    return made


def blog_settings() -> Json:
    """The settings every answer repeats."""
    return {
        "ampEnabled": False,
        "originInstanceId": stable_uuid("origin"),
        "originMetaSiteId": stable_uuid("origin meta"),
        "allPostsFeedLabel": "All Posts",
        "revision": {"low": 3, "high": 0, "unsigned": False},
        "comments": {"enabled": True, "anonymousEnabled": True, "ratingsEnabled": False, "ratingsMandatory": False},
        "blocksPostPage": False,
        "initialBlogEntityMetadata": [],
    }


def labels_of(world: World, post: Post | None = None) -> tuple[list[Json], list[Json]]:
    """Category and tag objects: of one post, or of the whole blog."""
    categories = [
        category(label, len(posts), position, world.base)
        for position, (label, posts) in enumerate(world.labels("categories").items(), 1)
        if post is None or label in post.categories
    ]
    tags = [
        tag(label, len(posts), world.base)
        for label, posts in world.labels("tags").items()
        if post is None or label in post.tags
    ]
    return categories, tags


def post_page(world: World, post: Post, counters: Counters | None = None) -> Json:
    """The answer for a whole post; `counters` adds the metrics of 2024."""
    categories, tags = labels_of(world, post)
    related = [
        {
            "id": other.post_id,
            "internalId": other.internal_id,
            "slug": other.slug,
            "url": {"base": world.base, "path": other.path},
            "media": _cover(other),
            "title": other.title,
            "liked": False,
            "subscribed": False,
            "excerpt": other.excerpt(),
        }
        for other in world.related(post)
    ]
    return {
        "postPage": {
            "id": post.post_id,
            "post": post_object(post, world.base, counters),
            "translations": {},
            "blog": {"settings": blog_settings(), "translations": {}},
            "blogSettingsV2": blog_settings(),
            "categories": categories,
            "tags": tags,
            "relatedPosts": related,
            "appData": {"ampEnabled": False, "menuLabel": "All Posts", "language": "en", "postPageEnabled": True},
        }
    }


def post_metadata(counters: Counters) -> Json:
    """Counters as the metadata answer carries them."""
    return {
        "viewCount": counters.views,
        "likeCount": counters.likes,
        "totalComments": counters.comments,
        "totalRatings": 0,
        "averageRating": 0,
    }


def post_page_metadata(world: World, post: Post, counters: Counters) -> Json:
    """The related posts' numbers beside it are stale ones and count as nobody's visit."""
    related = [
        {"id": other.post_id, "postMetadata": post_metadata(stale(other))}
        for other in world.related(post)
        if other.counters == "shown"
    ]
    return {
        "postPageMetadata": {"id": post.slug, "postMetadata": post_metadata(counters)},
        "relatedPostsMetadata": related,
    }


def stale(post: Post) -> Counters:
    """The numbers shown for a post on somebody else's page: as they were before the first visit."""
    return Counters(max(0, post.base_views), post.likes, post.comments_count)


# ---- comments


def _author(person: Person) -> Json:
    return {"visitorId" if person.kind == "guest" else "memberId": person.person_id}


def _comment_content(text: str) -> Json:
    nodes = [paragraph((Run(line),), f"c{index}", "") for index, line in enumerate(text.split("\n"))]
    return {"richContent": {"nodes": nodes, "metadata": {"version": 1}, "documentStyle": {}}, "attachments": []}


def comment_object(post: Post, comment: Comment) -> Json:
    """A comment as a visitor sees it. A deleted one keeps its place but neither author nor content."""
    replies = sum(other.top == comment.id and other.status == "PUBLISHED" for other in post.comments)
    moment = iso(comment.posted)
    made: Json = {
        "id": comment.id,
        "revision": "2" if comment.edited else "1",
        "createdDate": moment,
        "updatedDate": moment,
        "commentDate": moment,
        "appId": BLOG_APP,
        "contextId": post.internal_id,
        "resourceId": post.internal_id,
        "status": comment.status,
        "replyCount": 0 if comment.top else replies,
        "contentEdited": comment.edited,
        "marked": comment.marked,
        "voteSummary": {"netVoteCount": 0, "upvoteCount": 0, "downvoteCount": 0},
        "reactionSummary": {
            "total": comment.likes,
            "reactionCodeCount": {"❤️": comment.likes} if comment.likes else {},
        },
    }
    if comment.parent:
        answered = next(other for other in post.comments if other.id == comment.parent)
        author = _author(answered.person) if answered.status == "PUBLISHED" else {}
        made["parentComment"] = {"id": comment.parent, "author": author}
    if comment.status == "PUBLISHED":
        made["author"] = _author(comment.person)
        made["content"] = _comment_content(comment.text)
    return made


def member_object(person: Person) -> Json:
    """A member's public profile."""
    return {
        "id": person.person_id,
        "status": "UNKNOWN",
        "privacyStatus": "PUBLIC",
        "activityStatus": "ACTIVE",
        "profile": {
            "nickname": person.name,
            "slug": person.slug,
            "photo": {"id": person.photo, "url": f"https://static.wixstatic.com/media/{person.photo}"},
        },
    }
