export default `
CREATE TABLE search_words (
  kind TEXT NOT NULL,
  word TEXT NOT NULL,
  id TEXT NOT NULL,
  PRIMARY KEY (kind, word, id)
) WITHOUT ROWID;
`;
