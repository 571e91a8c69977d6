-- Comments in conversation order: each after the one it replies to, with its depth and the number of its replies.
-- `path` sorts a thread as text: one element for each ancestor, a date and a number of fixed width. The climb to the
-- first comment ends after 50 steps, so that parents in a circle cannot make it endless.
SELECT
  c.post_id,
  p.title AS post_title,
  c.comment_id,
  c.parent_id,
  length(c.path) / 34 AS depth,
  c.author,
  c.author_kind,
  c.posted_at,
  c.body_text,
  c.likes,
  (SELECT count(*) FROM comments AS reply WHERE reply.parent_id = c.comment_id) AS replies,
  c.status,
  c.edited,
  c.clinic_id,
  c.first_seen_at,
  c.last_seen_at,
  c.path,
  c.last_capture_id,
  c.type
FROM (
  SELECT
    c.*,
    (
      WITH RECURSIVE climb (parent_id, step, path) AS (
        SELECT c.parent_id, 0, printf('%-20.20s %010d', coalesce(c.posted_at, '~'), c.comment_id)
        UNION ALL
        SELECT
          above.parent_id,
          climb.step + 1,
          printf('%-20.20s %010d', coalesce(above.posted_at, '~'), above.comment_id) || ' > ' || climb.path
        FROM climb JOIN comments AS above ON above.comment_id = climb.parent_id
        WHERE climb.step < 50
      )
      SELECT climb.path FROM climb ORDER BY climb.step DESC LIMIT 1
    ) AS path
  FROM comments AS c
) AS c
JOIN posts AS p ON p.post_id = c.post_id
ORDER BY c.post_id, c.path
