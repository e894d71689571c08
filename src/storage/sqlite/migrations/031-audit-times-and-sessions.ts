/**
 * When things of a kind happened is read from the index alone, and so is of what kind those of one person or app are; sessions are listed by when they end, which is by when they were last used.
 */
export default `
DROP INDEX audit_records_by_type;
CREATE INDEX audit_records_by_type ON audit_records (type, seq, at);
DROP INDEX audit_records_by_actor;
CREATE INDEX audit_records_by_actor ON audit_records (actor, seq, type) WHERE actor IS NOT NULL;
DROP INDEX audit_records_by_target;
CREATE INDEX audit_records_by_target ON audit_records (target, seq, type) WHERE target IS NOT NULL;
CREATE INDEX protocol_sessions ON protocol_records (expires_at, key)
  WHERE kind = 'Session' AND account_key IS NOT NULL;
`;
