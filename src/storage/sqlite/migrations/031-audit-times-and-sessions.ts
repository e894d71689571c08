/**
 * When things of a kind happened is read from the index alone; sessions are listed by when they end, which is by when they were last used.
 */
export default `
DROP INDEX audit_records_by_type;
CREATE INDEX audit_records_by_type ON audit_records (type, seq, at);
CREATE INDEX protocol_sessions ON protocol_records (expires_at, key)
  WHERE kind = 'Session' AND account_key IS NOT NULL;
`;
