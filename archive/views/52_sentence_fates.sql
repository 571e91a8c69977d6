-- Sentences of posts over time: since when each was there, and what became of it.
-- An interval is a time during which a sentence was in the text that one source gave. It began when the sentence was
-- first seen, and ended after it was last seen and before the text was first seen without it. Only edits end it: a text
-- that another parser version reads differently is no edit. Derived by `clinic-archive derive`.
WITH observed AS (
  SELECT c.clinic_id, c.closed_on, max(r.started_at) AS last_at
  FROM clinics AS c
  LEFT JOIN clinic_runs AS r ON r.clinic_id = c.clinic_id AND r.complete = 1
  GROUP BY c.clinic_id
)
SELECT
  p.clinic_id,
  f.post_id,
  p.title,
  substr(n.body_text, s.start + 1, s.end - s.start) AS sentence,
  coalesce(
    f.fate,
    iif(p.removed_at IS NOT NULL, 'post removed', NULL),
    iif(
      f.source <> (SELECT source FROM revisions WHERE revision_id = p.revision_id)
        OR o.closed_on <= date('now') OR p.last_seen_at < o.last_at,
      'no longer observed', NULL),
    'kept') AS fate,
  f.first_seen_at,
  coalesce(
    f.last_seen_at,
    (SELECT max(seen_at) FROM sightings WHERE revision_id = f.last_revision_id),
    l.captured_at) AS last_seen_at,
  coalesce(f.missing_at, p.removed_at) AS missing_at,
  (
    SELECT substr(r.body_text, w.start + 1, w.end - w.start)
    FROM cache_sentences AS w JOIN revisions AS r ON r.revision_id = w.revision_id
    WHERE w.revision_id = f.next_revision_id AND w.position = f.next_position
  ) AS reworded_as,
  f.returned_at,
  f.source,
  f.revision_id,
  f.last_revision_id,
  f.next_revision_id,
  n.capture_id,
  coalesce(
    f.last_capture_id,
    (SELECT capture_id FROM sightings WHERE revision_id = f.last_revision_id ORDER BY seen_at DESC LIMIT 1),
    l.capture_id) AS last_capture_id,
  (SELECT capture_id FROM revisions WHERE revision_id = f.next_revision_id) AS missing_capture_id,
  p.url
FROM cache_sentence_fates AS f
JOIN posts AS p ON p.post_id = f.post_id
JOIN observed AS o ON o.clinic_id = p.clinic_id
JOIN revisions AS n ON n.revision_id = f.revision_id
JOIN revisions AS l ON l.revision_id = f.last_revision_id
JOIN cache_sentences AS s ON s.revision_id = f.revision_id AND s.position = f.position
UNION ALL
-- Posts that were never edited: the newest reading of the only text of each source.
SELECT
  p.clinic_id,
  r.post_id,
  p.title,
  substr(r.body_text, s.start + 1, s.end - s.start),
  coalesce(
    iif(p.removed_at IS NOT NULL, 'post removed', NULL),
    iif(
      r.source <> (SELECT source FROM revisions WHERE revision_id = p.revision_id)
        OR o.closed_on <= date('now') OR p.last_seen_at < o.last_at,
      'no longer observed', NULL),
    'kept'),
  r.captured_at,
  coalesce((SELECT max(seen_at) FROM sightings WHERE revision_id = r.revision_id), r.captured_at),
  p.removed_at,
  NULL,
  NULL,
  r.source,
  r.revision_id,
  r.revision_id,
  NULL,
  r.capture_id,
  coalesce(
    (SELECT capture_id FROM sightings WHERE revision_id = r.revision_id ORDER BY seen_at DESC LIMIT 1), r.capture_id),
  NULL,
  p.url
FROM revisions AS r
JOIN cache_sentences AS s ON s.revision_id = r.revision_id
JOIN posts AS p ON p.post_id = r.post_id
JOIN observed AS o ON o.clinic_id = p.clinic_id
WHERE r.revision_id = (
    SELECT b.revision_id FROM revisions AS b
    WHERE b.post_id = r.post_id AND b.source = r.source
    ORDER BY b.captured_at DESC, b.extractor_version DESC, b.revision_id DESC LIMIT 1)
  AND NOT EXISTS (
    SELECT 1 FROM cache_sentence_fates AS known WHERE known.post_id = r.post_id AND known.source = r.source)
