-- Sentences that an edit removed
-- Sentences of an earlier text that the next one of its source no longer has, with the interval in which that happened.
-- The fate says whether the sentence was removed, reworded (reworded_as has the one in its place) or came back later.
-- group: edits
-- :word (text) = ; a word in the sentence, or its beginning, empty for all sentences
-- :clinic (clinic) = ; a clinic, empty for all
-- text: sentence, fate, reworded_as
WITH gone AS (
  SELECT
    substr(b.body_text, s.start + 1, s.end - s.start) AS sentence,
    e.clinic_id,
    f.*
  FROM cache_edits AS e
  JOIN cache_sentence_fates AS f ON f.next_revision_id = e.revision_id
  JOIN revisions AS b ON b.revision_id = f.last_revision_id
  JOIN cache_sentences AS s ON s.revision_id = f.last_revision_id AND s.position = f.last_position
  WHERE e.clinic_id BETWEEN :clinic AND coalesce(nullif(:clinic, ''), '~')
    -- Scripts without spaces have no words in the index that SQL could name.
    AND (:word = '' OR :word GLOB '*[^ -~]*' OR e.edit_id IN (
      SELECT rowid FROM cache_edits_fts WHERE cache_edits_fts MATCH 'old_text : "' || replace(:word, '"', '""') || '" *'
      UNION ALL
      SELECT rowid FROM cache_edits_folded_fts
      WHERE cache_edits_folded_fts MATCH 'old_text : "' || replace(:word, '"', '""') || '" *'))
)
SELECT
  g.sentence,
  p.title,
  g.clinic_id,
  g.last_seen_at,
  g.missing_at AS first_missing_at,
  g.last_revision_id AS old_revision_id,
  g.next_revision_id AS revision_id,
  g.post_id,
  p.url,
  g.fate,
  (
    SELECT substr(r.body_text, w.start + 1, w.end - w.start)
    FROM cache_sentences AS w JOIN revisions AS r ON r.revision_id = w.revision_id
    WHERE w.revision_id = g.next_revision_id AND w.position = g.next_position
  ) AS reworded_as,
  g.first_seen_at
FROM gone AS g
JOIN posts AS p ON p.post_id = g.post_id
WHERE instr(lower(g.sentence), lower(:word)) > 0
ORDER BY g.missing_at DESC, g.post_id, g.revision_id, g.position
