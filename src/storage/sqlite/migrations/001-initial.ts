export default `
CREATE TABLE accounts (
  id TEXT PRIMARY KEY,
  email_normalized TEXT NOT NULL UNIQUE,
  version INTEGER NOT NULL,
  created_at TEXT NOT NULL,
  document TEXT NOT NULL
);
CREATE INDEX accounts_in_order ON accounts (created_at, id);

CREATE TABLE clients (
  id TEXT PRIMARY KEY,
  resource TEXT UNIQUE,
  version INTEGER NOT NULL,
  created_at TEXT NOT NULL,
  document TEXT NOT NULL
);
CREATE INDEX clients_in_order ON clients (created_at, id);

CREATE TABLE consents (
  account_id TEXT NOT NULL,
  client_id TEXT NOT NULL,
  document TEXT NOT NULL,
  PRIMARY KEY (account_id, client_id)
);
CREATE INDEX consents_by_client ON consents (client_id);

CREATE TABLE signing_keys (
  id TEXT PRIMARY KEY,
  alg TEXT NOT NULL,
  state TEXT NOT NULL,
  sealed BLOB NOT NULL,
  created_at TEXT NOT NULL
);
CREATE UNIQUE INDEX one_active_key ON signing_keys (alg) WHERE state = 'active';

CREATE TABLE protocol_records (
  key TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  sealed BLOB NOT NULL,
  expires_at INTEGER,
  consumed_at INTEGER,
  grant_key TEXT,
  uid_key TEXT,
  user_code_key TEXT,
  account_key TEXT,
  session_key TEXT
);
CREATE INDEX protocol_expiry ON protocol_records (expires_at);
CREATE INDEX protocol_grant ON protocol_records (grant_key) WHERE grant_key IS NOT NULL;
CREATE INDEX protocol_uid ON protocol_records (uid_key) WHERE uid_key IS NOT NULL;
CREATE INDEX protocol_user_code ON protocol_records (user_code_key) WHERE user_code_key IS NOT NULL;
CREATE INDEX protocol_account ON protocol_records (account_key) WHERE account_key IS NOT NULL;
CREATE INDEX protocol_session ON protocol_records (session_key) WHERE session_key IS NOT NULL;
`;
