-- Which clinics dropped a sentence with a word, and when
-- A row for each clinic that ever had the word in a post, dropped or not: they are the denominator. A sentence counts as
-- dropped where an edit removed it, or reworded it without the word, and it did not come back. Removed posts are counted
-- beside. A clinic is observed now if its newest complete visit is at most 30 days older than the archive's newest run.
-- group: edits
-- :word (word) = ; a word or phrase; such as sleep
-- integer: sentences_dropped, removed_posts_with_it, clinics_that_had_it, of_these_observed_now
-- timestamp: first_dropped_after, first_dropped_before, last_dropped_after, last_dropped_before
-- text: clinic, a_sentence
-- boolean: observed_now
WITH wanted AS (
  SELECT '"' || replace(:word, '"', '""') || '"' AS words
),
clinic AS (
  SELECT
    c.clinic_id,
    c.name,
    w.words,
    '({title body} : ' || w.words || ') AND scope : "c' || lower(hex(c.clinic_id)) || '"' AS words_of_clinic,
    coalesce(c.closed_on > date('now'), 1) AND EXISTS (
      SELECT 1 FROM clinic_runs AS r
      WHERE r.clinic_id = c.clinic_id AND r.complete = 1
        AND r.started_at >= date((SELECT max(started_at) FROM crawls), '-30 days')) AS observed
  FROM clinics AS c CROSS JOIN wanted AS w
),
-- Posts and past texts; a document's number has its kind in the lowest bits, 0 for a comment.
had_it AS (
  SELECT * FROM clinic
  WHERE EXISTS (SELECT 1 FROM search_fts WHERE search_fts MATCH words_of_clinic AND rowid & 3 <> 0)
    OR EXISTS (SELECT 1 FROM search_folded_fts WHERE search_folded_fts MATCH words_of_clinic AND rowid & 3 <> 0)
    -- Scripts without spaces have no words in the index that SQL could name: of other letters the texts are searched.
    OR (:word GLOB '*[^ -~]*' AND EXISTS (
      SELECT 1 FROM posts AS p JOIN revisions AS r ON r.post_id = p.post_id
      WHERE p.clinic_id = clinic.clinic_id AND instr(lower(r.body_text), lower(:word)) > 0))
),
gone AS (
  SELECT
    e.clinic_id,
    f.post_id,
    f.last_seen_at,
    f.missing_at,
    substr(b.body_text, s.start + 1, s.end - s.start) AS sentence,
    (
      SELECT substr(r.body_text, w.start + 1, w.end - w.start)
      FROM cache_sentences AS w JOIN revisions AS r ON r.revision_id = w.revision_id
      WHERE w.revision_id = f.next_revision_id AND w.position = f.next_position
    ) AS reworded_as
  FROM wanted
  JOIN cache_edits AS e ON :word GLOB '*[^ -~]*' OR e.edit_id IN (
    SELECT rowid FROM cache_edits_fts WHERE cache_edits_fts MATCH 'old_text : ' || words
    UNION ALL
    SELECT rowid FROM cache_edits_folded_fts WHERE cache_edits_folded_fts MATCH 'old_text : ' || words)
  JOIN cache_sentence_fates AS f ON f.next_revision_id = e.revision_id AND f.fate IN ('removed', 'reworded')
  JOIN revisions AS b ON b.revision_id = f.last_revision_id
  JOIN cache_sentences AS s ON s.revision_id = f.last_revision_id AND s.position = f.last_position
),
dropped AS (
  SELECT * FROM gone
  WHERE instr(lower(sentence), lower(:word)) > 0 AND instr(lower(coalesce(reworded_as, '')), lower(:word)) = 0
)
SELECT
  h.clinic_id,
  h.name AS clinic,
  count(d.sentence) AS sentences_dropped,
  count(DISTINCT d.post_id) AS posts,
  min(d.last_seen_at) AS first_dropped_after,
  min(d.missing_at) AS first_dropped_before,
  max(d.last_seen_at) AS last_dropped_after,
  max(d.missing_at) AS last_dropped_before,
  max(d.sentence) AS a_sentence,
  (
    SELECT count(*) FROM search_fts AS s JOIN posts AS p ON p.post_id = (s.rowid & 1073741823) >> 2
    WHERE s.search_fts MATCH h.words_of_clinic AND s.rowid & 3 = 1 AND p.removed_at IS NOT NULL
  ) AS removed_posts_with_it,
  h.observed AS observed_now,
  (SELECT count(*) FROM had_it) AS clinics_that_had_it,
  (SELECT sum(observed) FROM had_it) AS of_these_observed_now
FROM had_it AS h
LEFT JOIN dropped AS d ON d.clinic_id = h.clinic_id
GROUP BY h.clinic_id
ORDER BY sentences_dropped DESC, h.clinic_id
