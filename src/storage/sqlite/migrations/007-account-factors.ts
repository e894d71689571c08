export default `
CREATE TABLE account_factors (
  account_id TEXT PRIMARY KEY,
  version INTEGER NOT NULL,
  document TEXT NOT NULL
);
`;
