/** By which a record is found that the foot of an error page, or an answer of the admin API, names. */
export default `
ALTER TABLE audit_records ADD COLUMN reference TEXT;
UPDATE audit_records SET reference = json_extract(document, '$.reference')
  WHERE json_extract(document, '$.reference') IS NOT NULL;
CREATE INDEX audit_records_by_reference ON audit_records (reference, seq) WHERE reference IS NOT NULL;
`;
