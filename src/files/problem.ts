/**
 * Files: what runs, written down. This room reads resources from YAML, compares them with what there is, does what makes the two
 * the same, and writes what there is. It keeps no rules of its own: what may be registered or changed the use cases of
 * `administration/` say, and the shapes of what they take are the admin API's.
 */

/** Something that speaks against a file. */
export interface Problem {
  /** Such as `clients.yaml:12`. */
  where: string;
  message: string;
}

/** What is wrong with files, all of it at once; nothing was done. */
export class FilesError extends Error {
  readonly problems: Problem[];
  constructor(problems: Problem[]) {
    const lines = problems.map(({ where, message }) => `  ${where}: ${message}`);
    super(
      `${problems.length === 1 ? 'There is a problem' : `There are ${problems.length} problems`}:\n${lines.join('\n')}`,
    );
    this.name = 'FilesError';
    this.problems = problems;
  }
}
