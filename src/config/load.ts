/**
 * Reads `config/<environment>.yaml` (or the file named by `GATEHOUSE_CONFIG`), lays the environment over it, checks all of
 * it, and either returns the finished configuration or throws one error that names every problem.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { closest, distance } from 'fastest-levenshtein';
import { parse as parseYaml } from 'yaml';
import type { z } from 'zod';
import { PUBLISHING_MARGIN } from '../kernel/publishing.ts';
import { isLoopback } from '../kernel/urls.ts';
import { ConfigError } from './error.ts';
import { inOrder, insecureUpstreams } from './federation.ts';
import { configKeys, namedKeys } from './keys.ts';
import { cibaProblems, loosened, tlsProblems } from './protocol.ts';
import { configSchema } from './schema.ts';
import type { Config, ParsedConfig } from './schema.ts';
import { generatedSecrets, secretProblems } from './secrets.ts';

const PROJECT = path.resolve(import.meta.dirname, '../..');
const BREACHES = 'https://api.pwnedpasswords.com/range';
const NOT_KEYS = new Set(['GATEHOUSE_CONFIG']);

type Tree = Record<string, unknown>;
type Env = Record<string, string | undefined>;

const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);

function readFileTree(env: Env, environment: string, problems: string[]): Tree {
  const named = env['GATEHOUSE_CONFIG'];
  const file = named ? path.resolve(named) : path.join(PROJECT, 'config', `${environment}.yaml`);
  if (!existsSync(file)) {
    if (named) problems.push(`GATEHOUSE_CONFIG names ${named}, which does not exist`);
    return {};
  }
  try {
    const tree: unknown = parseYaml(readFileSync(file, 'utf8')) ?? {};
    if (isTree(tree)) return tree;
    problems.push(`${file} must hold keys and values`);
  } catch (error) {
    problems.push(`${file} is not valid YAML: ${(error as Error).message.split('\n')[0]}`);
  }
  return {};
}

function envValue(env: Env, name: string, problems: string[]): string | undefined {
  const file = env[`${name}_FILE`];
  if (file === undefined) return env[name];
  if (env[name] !== undefined) problems.push(`${name} and ${name}_FILE are both set`);
  try {
    return readFileSync(file, 'utf8').trimEnd();
  } catch {
    problems.push(`${name}_FILE names a file that cannot be read`);
    return undefined;
  }
}

function setAt(tree: Tree, keyPath: string[], value: unknown): void {
  let node = tree;
  for (const name of keyPath.slice(0, -1)) {
    if (!isTree(node[name])) node[name] = {};
    node = node[name] as Tree;
  }
  node[keyPath.at(-1)!] = value;
}

function layEnvironmentOver(tree: Tree, env: Env, problems: string[]): void {
  for (const key of configKeys) {
    const text = envValue(env, key.env, problems);
    if (text === undefined || text === '') continue;
    if (key.plainText) {
      setAt(tree, key.path, text);
      continue;
    }
    try {
      const value: unknown = parseYaml(text);
      setAt(tree, key.path, key.type.startsWith('list') && typeof value === 'string' ? value.split(/[\s,]+/) : value);
    } catch {
      problems.push(`${key.env} cannot be read`);
    }
  }
}

function unknownVariables(env: Env): string[] {
  const known = configKeys.flatMap((key) => [key.env, `${key.env}_FILE`]);
  return Object.keys(env)
    .filter((name) => name.startsWith('GATEHOUSE_') && !NOT_KEYS.has(name) && !known.includes(name))
    .map((name) => `${name} is not a known setting; the nearest is ${closest(name, known)}`);
}

function nearestKey(unknown: string): string {
  const [first, second] = unknown.split('.');
  const paths = [...configKeys, ...namedKeys].map(({ path: [...keyPath] }) => {
    if (first === 'federation' && keyPath[1] === '<name>') keyPath[1] = second!;
    return keyPath;
  });
  const known = [...new Set(paths.flatMap((keyPath) => keyPath.map((_, i) => keyPath.slice(0, i + 1).join('.'))))];
  const byLastName = known.filter((name) => distance(name.split('.').at(-1)!, unknown.split('.').at(-1)!) <= 1);
  return closest(unknown, byLastName.length > 0 ? byLastName : known);
}

/** The tree without what the schema has something against, so that what is left can be looked at too. */
function withoutFaults(tree: Tree, issues: z.core.$ZodIssue[]): Tree {
  const copy = structuredClone(tree);
  for (const issue of issues) {
    const paths = issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [issue.path];
    for (const faulty of paths) {
      // What lacks a key is no better without another: an upstream goes as a whole.
      const keyPath = faulty[0] === 'federation' ? faulty.slice(0, 2) : faulty;
      const parent = keyPath
        .slice(0, -1)
        .reduce<unknown>((node, name) => (node as Tree | undefined)?.[String(name)], copy);
      if (isTree(parent)) delete parent[String(keyPath.at(-1))];
    }
  }
  return copy;
}

function describeIssue(issue: z.core.$ZodIssue): string[] {
  if (issue.code !== 'unrecognized_keys') return [`${issue.path.join('.')}: ${issue.message}`];
  return issue.keys.map((name) => {
    const full = [...issue.path, name].join('.');
    return `${full} is not a known key; the nearest is ${nearestKey(full)}`;
  });
}

/** Everything that is wrong with the values, and the parsed tree as far as it can be read. */
function parseTree(tree: Tree): { parsed: ParsedConfig | undefined; problems: string[] } {
  const result = configSchema.safeParse(tree);
  if (result.success) return { parsed: result.data, problems: [] };
  const rest = configSchema.safeParse(withoutFaults(tree, result.error.issues));
  return { parsed: rest.data, problems: result.error.issues.flatMap(describeIssue) };
}

function productionProblems(config: ParsedConfig): string[] {
  const problems: string[] = [];
  const issuer = config.issuer === undefined ? null : new URL(config.issuer);
  if (!issuer) problems.push('issuer is missing; set GATEHOUSE_ISSUER to the public https address');
  else if (issuer.protocol !== 'https:' && !isLoopback(issuer))
    problems.push(`issuer must be https, not ${config.issuer}`);
  if (config.demo.enabled) problems.push('demo.enabled must be false: everybody knows the demo password');
  if (config.mail.mailbox) problems.push("mail.mailbox must be false: everybody could read everybody's mail");
  if (config.mail.smtp_url !== undefined && config.mail.from === undefined)
    problems.push('mail.from is missing; set GATEHOUSE_MAIL_FROM to the address that mails come from');
  if (config.storage.url === 'sqlite::memory:')
    problems.push('storage.url is sqlite::memory:, which forgets everything at a restart');
  problems.push(...loosened(config));
  return [...problems, ...insecureUpstreams(config.federation), ...secretProblems(config.secrets)];
}

/** Where mail can be sent, nobody uses an address that is not proved to be theirs. */
const verifyEmail = ({ sign_up, mail }: ParsedConfig) =>
  sign_up.verify_email ?? (mail.smtp_url === undefined ? 'later' : 'before_first_use');

/** What needs mail where none can be sent or shown. */
function mailProblems({ sign_up, sign_in, mail }: ParsedConfig): string[] {
  if (mail.smtp_url !== undefined || mail.mailbox) return [];
  const problems: string[] = [];
  if (sign_up.verify_email === 'before_first_use')
    problems.push('sign_up.verify_email is before_first_use, which needs mail: set mail.smtp_url');
  if (sign_in.mailed) problems.push('sign_in.mailed needs mail: set mail.smtp_url');
  return problems;
}

/** What would let a token be signed with a key that somebody cannot know, or outlive its key. */
function keyProblems({ keys, lifetimes }: ParsedConfig): string[] {
  const problems: string[] = [];
  if (!keys.algorithms.includes('RS256'))
    problems.push('keys.algorithms must contain RS256, which OpenID Connect asks of every provider');
  if (keys.lead < keys.cache + PUBLISHING_MARGIN)
    problems.push(
      `keys.lead must be at least keys.cache + ${PUBLISHING_MARGIN} seconds: caches must know a key before it signs`,
    );
  if (keys.rotation !== 0 && keys.rotation < keys.lead)
    problems.push('keys.rotation must not be shorter than keys.lead');
  const longest = Math.max(lifetimes.access_token, lifetimes.id_token);
  if (keys.retirement < longest + PUBLISHING_MARGIN)
    problems.push(
      `keys.retirement must be at least ${longest + PUBLISHING_MARGIN} seconds, as long as tokens last: lifetimes.access_token and lifetimes.id_token`,
    );
  return problems;
}

/**
 * @param env the environment variables, `process.env` by default.
 * @returns the configuration, with secrets generated into the data folder outside production.
 * @throws ConfigError naming every problem at once.
 */
export function loadConfig(env: Env = process.env): Config {
  const environment = env['NODE_ENV'] || 'development';
  const production = environment === 'production';
  const problems: string[] = [];
  const tree = readFileTree(env, environment, problems);
  layEnvironmentOver(tree, env, problems);
  if (production) problems.push(...unknownVariables(env));
  const { parsed, problems: ofValues } = parseTree(tree);
  problems.push(...ofValues);
  if (parsed && production) {
    const named = (problem: string) => ofValues.some((other) => other.startsWith(`${problem.split(' ')[0]}:`));
    problems.push(...productionProblems(parsed).filter((problem) => !named(problem)));
  }
  if (parsed)
    problems.push(...mailProblems(parsed), ...tlsProblems(parsed), ...keyProblems(parsed), ...cibaProblems(parsed));
  if (!parsed || problems.length > 0) throw new ConfigError(problems);

  const config: Config = {
    ...parsed,
    environment,
    production,
    issuer: (parsed.issuer ?? `http://localhost:${parsed.port}`).replace(/\/$/, ''),
    sign_up: { ...parsed.sign_up, verify_email: verifyEmail(parsed) },
    passwords: {
      ...parsed.passwords,
      breach_check: parsed.passwords.breach_check ?? parsed.passwords.breach_check_url !== undefined,
      breach_check_url: parsed.passwords.breach_check_url ?? BREACHES,
    },
    storage: { url: parsed.storage.url ?? `sqlite:${path.join(parsed.data_dir, 'gatehouse.db')}` },
    federation: inOrder(parsed.federation, tree['federation']),
    secrets: production ? (parsed.secrets as Config['secrets']) : generatedSecrets(parsed),
  };
  return config;
}
