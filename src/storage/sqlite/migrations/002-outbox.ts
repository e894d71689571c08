export default `
CREATE TABLE outbox (
  id TEXT PRIMARY KEY,
  template TEXT NOT NULL,
  state TEXT NOT NULL,
  sealed BLOB,
  created_at TEXT NOT NULL,
  due_at INTEGER NOT NULL,
  give_up_at INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  problem BLOB,
  settled_at INTEGER
);
CREATE INDEX outbox_due ON outbox (due_at, created_at, id) WHERE state = 'waiting';
CREATE INDEX outbox_in_order ON outbox (state, created_at, id);
CREATE INDEX outbox_settled ON outbox (state, settled_at) WHERE settled_at IS NOT NULL;

CREATE TABLE leases (
  name TEXT PRIMARY KEY,
  holder TEXT NOT NULL,
  until INTEGER NOT NULL
);
`;
