-- Counts and comments whose post is not known yet; they are assigned to it as soon as one of its addresses is known.
SELECT
  u.clinic_id,
  u.address,
  u.kind,
  count(*) AS items,
  min(c.fetched_at) AS waiting_since,
  max(c.fetched_at) AS last_at,
  max(json_extract(u.item, '$.views')) AS highest_views,
  (
    SELECT a.matched_by FROM post_addresses AS a WHERE a.clinic_id = u.clinic_id AND a.address = u.address
  ) AS named_by
FROM unplaced AS u
JOIN captures AS c ON c.capture_id = u.capture_id
GROUP BY u.clinic_id, u.address, u.kind
