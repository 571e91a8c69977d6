"""The sample clinic: a ketamine clinic's blog that speaks the wire format of a Wix site, on loopback only.

Start it by hand with `python -m tests.clinic --port 0`, or from a test with `running(state)`, which gives a `Clinic`
with `url`, `truth()` and `control(action, **more)`.

The truth (`GET /__truth__`) is one object:

    url, first_start, categories[], tags[], posts[] (newest first), each post with
      slug, url, old_urls[], post_id (UUID), internal_id (24 hex), title, author, author_id, language, variant,
      published_at, modified_at (ISO, ms, Z), published_printed, modified_printed (or null), dates_in_head,
      minutes_to_read, categories[], tags[], excerpt, body_text, word_count, links[{url, text}],
      images[url of the original], cover (url or null), media[{kind: gallery|video|file|html, url}],
      related[{position, title, url}], listed_in{sitemap, feed, listing}, access: public|members, deleted,
      never_ready, late, render_id, counters: shown|hidden|views-only, base_views, step, likes, comments_count,
      served[{n, at, route: html|metadata|feed-metadata|script, views, likes, comments_count}],
      comments[...] as publicly served, withheld[...] never served, each with
        id, parent_id, top_id, author_kind: staff|member|guest, author_name, person_id, posted_at, body_text,
        status, likes, edited, marked

`body_text` has a line for each paragraph, heading, list item, quote, table cell and image caption, in that order of
appearance and without empty lines; shells (gallery, video, file, embed) give no text. The title and the excerpt are no
part of it. A members-only post gives a visitor no text, no links and no images.

`comments_count` counts PUBLISHED comments, replies included. A DELETED comment stays in `comments`, without author
and text, where it heads a thread that has a visible reply; other deleted, HIDDEN and PENDING ones are `withheld`.
A guest's name is never on the wire, so `author_name` is null for guests. `parent_id` is the comment answered,
`top_id` the head of its thread; both are null for a top comment.

A post whose counters are `hidden` prints none, and the metadata addresses have none for it either; with `views-only`
the page prints views but no comments, and comments are closed. The n-th visit is served `base_views + step * n` views.

Actions of `control` (`POST /__control__`): edit{slug, text?, title?} replaces the first paragraph; delete{slug};
restore{slug}; rename{slug, new_slug?}; publish{slug?, title?, text?}; add_comment{slug, text?, by?, parent_id?,
status?} where `by` is a key of texts/people.toml; delete_comment{comment_id}; fail{path, status?, times?,
retry_after?}; expire_tokens{}. All but the last two outlive a restart.
"""

from .launch import Clinic, running

__all__ = ["Clinic", "running"]
