-- Posts that cite a domain
-- Links in the current texts to a domain or its subdomains: nih.gov also finds pubmed.ncbi.nlm.nih.gov.
-- group: texts
-- :domain (text) = ; a domain, empty for all
-- :clinic (clinic) = ; a clinic, empty for all
-- text: link_text, link_url
SELECT
  l.domain,
  l.text AS link_text,
  l.url AS link_url,
  p.title,
  p.published_on,
  p.clinic_id,
  p.post_id,
  p.url
FROM links AS l
JOIN posts AS p ON p.revision_id = l.revision_id
WHERE l.domain IS NOT NULL AND p.clinic_id BETWEEN :clinic AND coalesce(nullif(:clinic, ''), '~')
  AND (:domain = '' OR l.domain = lower(:domain) OR l.domain LIKE '%.' || lower(:domain))
ORDER BY p.published_on DESC, p.post_id, l.position
