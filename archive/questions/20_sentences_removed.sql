-- Sentences that an edit removed
-- Sentences of an earlier revision that are not in the next one, and that contain a word. A text is split at line ends
-- and after full stops, question marks and exclamation marks; a sentence that was rewritten counts as removed.
-- group: edits
-- :word (text) = ; a word in the sentence, empty for all sentences
-- :clinic (clinic) = ; a clinic, empty for all
-- text: sentence
SELECT
  trim(s.value) AS sentence,
  e.title,
  e.clinic_id,
  e.old_last_seen_at AS last_seen_at,
  e.new_first_seen_at AS first_missing_at,
  e.old_revision_id,
  e.revision_id,
  e.post_id,
  e.url
FROM edited_posts AS e
JOIN revisions AS o ON o.revision_id = e.old_revision_id
JOIN revisions AS n ON n.revision_id = e.revision_id
-- The text is split by turning it into a JSON list for json_each; a backslash would make that list invalid.
JOIN json_each(
  '["' || replace(replace(replace(replace(
    substr(json_quote(replace(o.body_text, char(92), '/')), 2, length(json_quote(replace(o.body_text, char(92), '/'))) - 2),
    '\n', '","'), '. ', '.","'), '? ', '?","'), '! ', '!","') || '"]') AS s
WHERE e.clinic_id BETWEEN :clinic AND coalesce(nullif(:clinic, ''), '~')
  AND trim(s.value) != ''
  AND instr(lower(s.value), lower(:word)) > 0
  AND instr(replace(n.body_text, char(92), '/'), trim(s.value)) = 0
ORDER BY e.new_first_seen_at DESC, e.post_id, s.id
