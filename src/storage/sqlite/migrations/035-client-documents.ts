export default `
CREATE TABLE client_documents (
  client_id TEXT PRIMARY KEY,
  fetched_at TEXT,
  fresh_until TEXT,
  used_at TEXT NOT NULL,
  denied_at TEXT,
  denied_reason TEXT
) WITHOUT ROWID;
CREATE INDEX client_documents_by_use ON client_documents (used_at) WHERE denied_at IS NULL;
`;
