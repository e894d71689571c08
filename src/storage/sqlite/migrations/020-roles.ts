export default `
CREATE TABLE role_records (
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  version INTEGER NOT NULL,
  document TEXT NOT NULL,
  PRIMARY KEY (kind, id),
  UNIQUE (kind, name)
) WITHOUT ROWID;

CREATE TABLE role_changes (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  count INTEGER NOT NULL
);
INSERT INTO role_changes (id, count) VALUES (1, 0);

CREATE TRIGGER role_records_insert AFTER INSERT ON role_records BEGIN UPDATE role_changes SET count = count + 1; END;
CREATE TRIGGER role_records_update AFTER UPDATE ON role_records BEGIN UPDATE role_changes SET count = count + 1; END;
CREATE TRIGGER role_records_delete AFTER DELETE ON role_records BEGIN UPDATE role_changes SET count = count + 1; END;
`;
