-- Changes that a clinic made alike in three or more posts in one run: a sentence removed, added or reworded.
-- Derived by `clinic-archive derive`, which each crawl calls.
SELECT
  s.clinic_id,
  c.name AS clinic,
  s.removed,
  s.added,
  s.posts,
  s.old_last_seen_at,
  s.new_first_seen_at,
  s.crawl_id,
  s.revision_id
FROM cache_site_edits AS s
JOIN clinics AS c ON c.clinic_id = s.clinic_id
