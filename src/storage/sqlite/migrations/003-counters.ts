export default `
CREATE TABLE counters (
  key TEXT PRIMARY KEY,
  count INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  owner TEXT
) WITHOUT ROWID;
CREATE INDEX counters_expiry ON counters (expires_at);
CREATE INDEX counters_owner ON counters (owner) WHERE owner IS NOT NULL;
`;
