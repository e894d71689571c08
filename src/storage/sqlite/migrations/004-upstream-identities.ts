export default `
CREATE TABLE upstream_identities (
  provider TEXT NOT NULL,
  issuer TEXT NOT NULL,
  subject TEXT NOT NULL,
  account_id TEXT NOT NULL,
  email TEXT,
  created_at TEXT NOT NULL,
  last_used_at TEXT NOT NULL,
  PRIMARY KEY (provider, issuer, subject)
);
CREATE INDEX upstream_identities_by_account ON upstream_identities (account_id, created_at);
`;
