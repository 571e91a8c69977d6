-- Every clinic with the number of its posts and comments and the result of its last visit, also clinics without a blog.
SELECT
  c.clinic_id,
  c.name,
  c.blog_status,
  c.platform,
  (SELECT count(*) FROM posts AS p WHERE p.clinic_id = c.clinic_id) AS posts,
  (SELECT min(p.published_on) FROM posts AS p WHERE p.clinic_id = c.clinic_id) AS first_published_on,
  (SELECT max(p.published_on) FROM posts AS p WHERE p.clinic_id = c.clinic_id) AS last_published_on,
  (SELECT count(*) FROM comments AS m WHERE m.clinic_id = c.clinic_id)
    - (SELECT count(*) FROM comments AS m WHERE m.clinic_id = c.clinic_id AND m.type <> 'comment') AS comments_kept,
  (SELECT count(*) FROM clinic_runs AS r WHERE r.clinic_id = c.clinic_id) AS runs,
  (SELECT r.started_at FROM clinic_runs AS r WHERE r.clinic_id = c.clinic_id ORDER BY r.started_at DESC LIMIT 1)
    AS last_run_at,
  (SELECT r.status FROM clinic_runs AS r WHERE r.clinic_id = c.clinic_id ORDER BY r.started_at DESC LIMIT 1)
    AS last_run_status,
  (SELECT json_group_object(a.name, a.value) FROM clinic_attributes AS a WHERE a.clinic_id = c.clinic_id
    HAVING count(*) > 0) AS attributes,
  c.comments_policy,
  c.privacy,
  c.language,
  c.timezone,
  c.first_crawled_at,
  c.url,
  c.maker
FROM clinics AS c
