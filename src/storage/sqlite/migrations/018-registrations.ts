export default `
CREATE TABLE registration_tokens (
  id TEXT PRIMARY KEY,
  token_hash TEXT NOT NULL UNIQUE,
  created_at TEXT NOT NULL,
  expires_at INTEGER,
  most_uses INTEGER,
  uses INTEGER NOT NULL,
  name TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE registrations (
  client_id TEXT PRIMARY KEY,
  token_hash TEXT NOT NULL,
  initial_token TEXT,
  created_at TEXT NOT NULL,
  used_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX registrations_by_use ON registrations (used_at);
`;
