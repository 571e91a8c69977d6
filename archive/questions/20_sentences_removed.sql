-- Sentences that an edit removed
-- Sentences of an earlier text that the next one of its source no longer has, with the interval in which that happened.
-- The fate says whether the sentence was removed, reworded (reworded_as has the one in its place) or came back later.
-- :word (text) = ; a word in the sentence, or its beginning, empty for all sentences
-- :clinic (clinic) = ; a clinic, empty for all
SELECT
  f.sentence,
  f.title,
  f.clinic_id,
  f.last_seen_at,
  f.missing_at AS first_missing_at,
  f.last_revision_id AS old_revision_id,
  f.next_revision_id AS revision_id,
  f.post_id,
  f.url,
  f.fate,
  f.reworded_as,
  f.first_seen_at
FROM cache_edits AS e
JOIN sentence_fates AS f ON f.next_revision_id = e.revision_id
WHERE e.clinic_id BETWEEN :clinic AND coalesce(nullif(:clinic, ''), '~')
  -- Scripts without spaces have no words in the index that SQL could name.
  AND (:word = '' OR :word GLOB '*[^ -~]*' OR e.edit_id IN (
    SELECT rowid FROM cache_edits_fts WHERE cache_edits_fts MATCH 'old_text : "' || replace(:word, '"', '""') || '" *'
    UNION ALL
    SELECT rowid FROM cache_edits_folded_fts
    WHERE cache_edits_folded_fts MATCH 'old_text : "' || replace(:word, '"', '""') || '" *'))
  AND instr(lower(f.sentence), lower(:word)) > 0
ORDER BY f.missing_at DESC, f.post_id, f.revision_id, f.sentence
