export default `
CREATE TABLE audit_records (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  at TEXT NOT NULL,
  type TEXT NOT NULL,
  actor TEXT,
  target TEXT,
  document TEXT NOT NULL,
  mac TEXT NOT NULL,
  adopted TEXT
);
CREATE INDEX audit_records_by_time ON audit_records (at);
CREATE INDEX audit_records_by_type ON audit_records (type, seq);
CREATE INDEX audit_records_by_actor ON audit_records (actor, seq) WHERE actor IS NOT NULL;
CREATE INDEX audit_records_by_target ON audit_records (target, seq) WHERE target IS NOT NULL;
CREATE INDEX audit_records_adopted ON audit_records (adopted) WHERE adopted IS NOT NULL;

CREATE TABLE audit_personal (
  record_id TEXT NOT NULL,
  subject TEXT NOT NULL,
  document TEXT NOT NULL,
  PRIMARY KEY (record_id, subject)
) WITHOUT ROWID;
CREATE INDEX audit_personal_by_subject ON audit_personal (subject);

CREATE TABLE audit_subjects (
  account_id TEXT PRIMARY KEY,
  subject TEXT NOT NULL UNIQUE
) WITHOUT ROWID;

CREATE TABLE audit_marks (
  name TEXT PRIMARY KEY,
  seq INTEGER NOT NULL,
  mac TEXT NOT NULL,
  at TEXT NOT NULL,
  signature TEXT NOT NULL
) WITHOUT ROWID;
`;
