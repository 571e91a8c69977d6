-- Clinics grouped by an attribute
-- Attributes are what the configuration adds to a clinic (state, ownership, ...); clinics without the attribute form
-- one group, NULL.
-- group: numbers
-- :attribute (attribute) = ; an attribute's name, as in clinic_attributes; such as state
-- integer: clinics, with_blog
-- chart: bar x=value y=posts
SELECT
  a.value,
  count(*) AS clinics,
  sum(c.blog_status = 'blog') AS with_blog,
  sum((SELECT count(*) FROM posts AS p WHERE p.clinic_id = c.clinic_id)) AS posts,
  sum((SELECT count(*) FROM comments AS m WHERE m.clinic_id = c.clinic_id AND m.type = 'comment')) AS comments
FROM clinics AS c
LEFT JOIN clinic_attributes AS a ON a.clinic_id = c.clinic_id AND a.name = :attribute
GROUP BY a.value
ORDER BY posts DESC
