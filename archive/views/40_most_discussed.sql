-- Posts with comments: their number in the archive or as the page prints it, whichever is larger, and who wrote them.
-- `commenters` counts distinct pseudonyms; a comment with only a display name has none, so it is a lower bound. If no
-- comment is in the archive (for example by the clinic's policy), nothing is known about them: NULL, not 0.
SELECT
  max(coalesce(p.comments_kept, 0), coalesce(p.comments_count, 0)) AS discussed,
  p.post_id,
  p.clinic_id,
  p.published_on,
  p.title,
  p.comments_count,
  p.comments_kept,
  iif(p.comments_kept > 0, (
    SELECT count(DISTINCT c.author) FROM comments AS c
    WHERE c.post_id = p.post_id AND c.type = 'comment' AND c.author_kind != 'staff'), NULL) AS commenters,
  iif(p.comments_kept > 0, (
    SELECT count(*) FROM comments AS c WHERE c.post_id = p.post_id AND c.type = 'comment' AND c.author_kind = 'staff'), NULL) AS by_staff,
  iif(p.comments_kept > 0, (
    SELECT count(*) FROM comments AS c
    WHERE c.post_id = p.post_id AND c.type = 'comment' AND c.parent_platform_comment_id IS NOT NULL), NULL) AS replies,
  (SELECT min(c.posted_at) FROM comments AS c WHERE c.post_id = p.post_id AND c.type = 'comment') AS first_comment_at,
  (SELECT max(c.posted_at) FROM comments AS c WHERE c.post_id = p.post_id AND c.type = 'comment') AS last_comment_at,
  p.views,
  p.likes,
  p.url
FROM posts_with_counts AS p
WHERE p.comments_kept > 0 OR p.comments_count > 0
