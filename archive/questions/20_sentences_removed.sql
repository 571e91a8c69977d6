-- Sentences that an edit removed
-- Sentences of an earlier wording that the next one lacks, and that contain a word. A text is cut at line ends and after
-- full stops, question and exclamation marks; a sentence that was reworded counts as removed.
-- :word (text) = ; what the sentence contains, empty for all
-- :clinic (clinic) = ; a clinic, empty for all
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
-- json_each walks over a text that is cut into the elements of a list; a backslash would end the list early.
JOIN json_each(
  '["' || replace(replace(replace(replace(
    substr(json_quote(replace(o.body_text, char(92), '/')), 2, length(json_quote(replace(o.body_text, char(92), '/'))) - 2),
    '\n', '","'), '. ', '.","'), '? ', '?","'), '! ', '!","') || '"]') AS s
WHERE e.clinic_id BETWEEN :clinic AND coalesce(nullif(:clinic, ''), '~')
  AND trim(s.value) != ''
  AND instr(lower(s.value), lower(:word)) > 0
  AND instr(replace(n.body_text, char(92), '/'), trim(s.value)) = 0
ORDER BY e.new_first_seen_at DESC, e.post_id, s.id
