export default `
CREATE TABLE session_apps (
  session_key TEXT NOT NULL,
  app_key TEXT NOT NULL,
  account_key TEXT NOT NULL,
  offline INTEGER NOT NULL,
  ended INTEGER NOT NULL,
  sealed BLOB NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (session_key, app_key)
) WITHOUT ROWID;
CREATE INDEX session_apps_of_account ON session_apps (account_key);
CREATE INDEX session_apps_expired ON session_apps (expires_at);

CREATE TABLE logout_deliveries (
  id TEXT PRIMARY KEY,
  logout_id TEXT NOT NULL,
  client_id TEXT,
  cause TEXT NOT NULL,
  state TEXT NOT NULL,
  sealed BLOB,
  created_at TEXT NOT NULL,
  due_at INTEGER NOT NULL,
  give_up_at INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  refusals INTEGER NOT NULL,
  problem TEXT,
  settled_at INTEGER
);
CREATE INDEX logout_deliveries_of ON logout_deliveries (logout_id);
CREATE INDEX logout_deliveries_due ON logout_deliveries (due_at, created_at, id) WHERE state = 'waiting';
CREATE INDEX logout_deliveries_in_order ON logout_deliveries (state, created_at, id);
CREATE INDEX logout_deliveries_settled ON logout_deliveries (state, settled_at) WHERE settled_at IS NOT NULL;
`;
