export default `
CREATE TABLE invitations (
  id TEXT PRIMARY KEY,
  email_normalized TEXT NOT NULL UNIQUE,
  token_hash TEXT NOT NULL UNIQUE,
  created_at TEXT NOT NULL,
  expires_at TEXT NOT NULL,
  document TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX invitations_in_order ON invitations (created_at, id);
CREATE INDEX invitations_by_end ON invitations (expires_at);
`;
