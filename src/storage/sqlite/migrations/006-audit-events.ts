export default `
CREATE TABLE audit_events (
  id TEXT PRIMARY KEY,
  account_id TEXT NOT NULL,
  created_at TEXT NOT NULL,
  document TEXT NOT NULL
);
CREATE INDEX audit_events_by_account ON audit_events (account_id, created_at, id);
CREATE INDEX audit_events_in_order ON audit_events (created_at);

CREATE INDEX accounts_to_erase ON accounts (json_extract(document, '$.erase_at'))
  WHERE json_extract(document, '$.erase_at') IS NOT NULL;
`;
