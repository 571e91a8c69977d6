-- Completeness of each clinic's posts: in how many posts a field is known. In the others it is NULL, not 0.
WITH filled AS MATERIALIZED (
  SELECT
    p.clinic_id,
    count(*) AS posts,
    count(p.title) AS title,
    count(p.author) AS author,
    count(p.published_at) AS published_at,
    count(p.modified_at) AS modified_at,
    count(p.language) AS language,
    count(p.excerpt) AS excerpt,
    count(p.minutes_to_read) AS minutes_to_read,
    count(p.cover_image_url) AS cover_image_url,
    count(p.word_count) AS body_text,
    count(c.views) AS views,
    count(c.likes) AS likes,
    count(c.comments_count) AS comments_count
  FROM posts AS p JOIN posts_with_counts AS c ON c.post_id = p.post_id
  GROUP BY p.clinic_id
)
SELECT clinic_id, field, posts, known, round(100.0 * known / posts, 1) AS percent
FROM (
  SELECT clinic_id, 'title' AS field, posts, title AS known FROM filled
  UNION ALL
  SELECT clinic_id, 'author' AS field, posts, author AS known FROM filled
  UNION ALL
  SELECT clinic_id, 'published_at' AS field, posts, published_at AS known FROM filled
  UNION ALL
  SELECT clinic_id, 'modified_at' AS field, posts, modified_at AS known FROM filled
  UNION ALL
  SELECT clinic_id, 'language' AS field, posts, language AS known FROM filled
  UNION ALL
  SELECT clinic_id, 'excerpt' AS field, posts, excerpt AS known FROM filled
  UNION ALL
  SELECT clinic_id, 'minutes_to_read' AS field, posts, minutes_to_read AS known FROM filled
  UNION ALL
  SELECT clinic_id, 'cover_image_url' AS field, posts, cover_image_url AS known FROM filled
  UNION ALL
  SELECT clinic_id, 'body_text' AS field, posts, body_text AS known FROM filled
  UNION ALL
  SELECT clinic_id, 'views' AS field, posts, views AS known FROM filled
  UNION ALL
  SELECT clinic_id, 'likes' AS field, posts, likes AS known FROM filled
  UNION ALL
  SELECT clinic_id, 'comments_count' AS field, posts, comments_count AS known FROM filled
)
