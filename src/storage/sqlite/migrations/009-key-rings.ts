export default `
CREATE TABLE key_rings (
  name TEXT PRIMARY KEY,
  version INTEGER NOT NULL,
  document TEXT NOT NULL
);

CREATE TABLE key_set_fetches (
  id TEXT PRIMARY KEY,
  address TEXT NOT NULL,
  user_agent TEXT NOT NULL,
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  fetches INTEGER NOT NULL
);
CREATE INDEX key_set_fetches_by_age ON key_set_fetches (last_at);
`;
