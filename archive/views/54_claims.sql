-- Sentences that match a rule of a lexicon: "matches rule", which says nothing about whether they are true.
-- A row for each sentence of each text of a post, and each version of a rule that matches it; of a sentence that affirms
-- and denies, two. Derived by `clinic-archive derive`; how far to trust a rule is measured in docs/lexicon.md.
SELECT
  p.clinic_id,
  m.revision_id = p.revision_id AS shown_now,
  coalesce(p.published_on, substr(p.published_at, 1, 10)) AS published_on,
  r.captured_at,
  p.title,
  substr(r.body_text, s.start + 1, s.end - s.start) AS sentence,
  substr(r.body_text, m.start + 1, m.end - m.start) AS words,
  l.category,
  l.kind,
  l.rule,
  m.negated,
  EXISTS (
    SELECT 1 FROM cache_matches AS o JOIN lexicon_rules AS k ON k.rule_number = o.rule_number
    WHERE o.revision_id = m.revision_id AND o.negated = 0 AND k.category = 'risk-statement') AS risk_in_post,
  l.lexicon,
  l.version = (
    SELECT max(n.version) FROM lexicon_rules AS n
    WHERE n.lexicon = l.lexicon AND n.name = l.name) AS newest_version,
  m.position,
  m.start,
  m.end,
  p.slug,
  strftime('%Y%m%d%H%M%S', substr(r.captured_at, 1, 19)) || '-' || substr(r.content_sha256, 1, 8) AS stamp,
  m.revision_id,
  r.capture_id,
  p.post_id,
  p.url
FROM cache_matches AS m
JOIN lexicon_rules AS l ON l.rule_number = m.rule_number
JOIN cache_sentences AS s ON s.revision_id = m.revision_id AND s.position = m.position
JOIN revisions AS r ON r.revision_id = m.revision_id
JOIN posts AS p ON p.post_id = r.post_id
