export default `
CREATE TABLE live_documents (
  name TEXT PRIMARY KEY,
  version INTEGER NOT NULL,
  document TEXT NOT NULL
);
`;
