import type { Inspected } from './inspect.ts';
import type { Exchange, Failure } from './relying-party.ts';
import type { Choices, PlaygroundSession, Run, Tokens } from './session.ts';

/** Scopes that can be ticked, with whether they are at first. */
const SCOPES: Record<string, boolean> = {
  openid: true,
  profile: true,
  email: true,
  phone: false,
  address: false,
  roles: true,
  offline_access: true,
};
export const SCOPE_NAMES = Object.keys(SCOPES);
export const PROMPTS = ['', 'login', 'consent', 'none'];
export const APIS = ['none', 'playground', 'other'];

export const FIRST_CHOICES: Choices = {
  scopes: SCOPE_NAMES.filter((name) => SCOPES[name]),
  more_scopes: '',
  prompt: '',
  api: 'none',
  resource: '',
};

type StepState = 'done' | 'current' | 'todo';
type Parameters = [name: string, value: string][];

/** How far the sign-in has come: the number of the step that is next, from 1. */
function nextStep({ current, run }: PlaygroundSession): number {
  if (!run) return current === undefined ? 1 : 2;
  if (run.tokens) return 6;
  return answerError(run) ? 3 : 4;
}

export const STEP_COUNT = 7;

/** The error that the provider answered the authorization request with (RFC 6749, section 4.1.2.1). */
const answerError = ({ answer }: Run): string | undefined => answer.find(([name]) => name === 'error')?.[1];

const parametersOf = (url: string): Parameters => [...new URL(url).searchParams];

const LONG = 120;
/** A value that stands in full elsewhere on the page, here to be recognised only. */
const recognisable = (value: string) => (value.length > LONG ? `${value.slice(0, 20)}…${value.slice(-12)}` : value);

const shownExchange = ({ method, url, sent, authorization, status, received }: Exchange) => ({
  method,
  path: new URL(url).pathname,
  status,
  ok: status < 400,
  sent: [...(authorization === null ? [] : [['Authorization', authorization] as const]), ...sent].map(
    ([name, value]) => [name, recognisable(value)],
  ),
  received: typeof received === 'string' ? received : JSON.stringify(received, null, 2),
});

const shownDone = ({ exchanges, failure }: { exchanges: Exchange[]; failure?: Failure | undefined }) => ({
  exchanges: exchanges.map(shownExchange),
  failure: failure ?? null,
});

const shownToken = ({ jwt, header, payload, checks }: Inspected) => ({
  parts: jwt.split('.'),
  header: JSON.stringify(header, null, 2),
  payload: JSON.stringify(payload, null, 2),
  claims: Object.entries(payload).map(([name, value]) => [name, shownClaim(name, value)]),
  checks,
  valid: checks.every(({ ok }) => ok),
});

const TIMES = new Set(['exp', 'iat', 'nbf', 'auth_time', 'updated_at']);

function shownClaim(name: string, value: unknown): string {
  if (TIMES.has(name) && typeof value === 'number') return `${value} = ${new Date(value * 1000).toISOString()}`;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** What was checked of the answer before anything in it was believed. */
function answerChecks({ answer, failure, tokens, request }: Run, issuer: string) {
  const value = (name: string) => answer.find(([key]) => key === name)?.[1] ?? '';
  const checks: { name: string; ok: boolean; value: string }[] = [
    { name: 'state', ok: value('state') === request.state, value: value('state') },
    { name: 'iss', ok: value('iss') === issuer, value: value('iss') },
  ];
  if (tokens) checks.push({ name: 'pkce', ok: true, value: request.pkceCodeVerifier });
  else if (failure?.error === 'invalid_grant')
    checks.push({ name: 'pkce', ok: false, value: request.pkceCodeVerifier });
  return checks;
}

const CHANGES = ['access_token', 'refresh_token', 'id_token', 'scope'] as const;

const shownRefresh = (before: Tokens, after: Tokens | undefined) =>
  after === undefined
    ? []
    : CHANGES.filter((name) => before[name] !== undefined || after[name] !== undefined).map((name) => ({
        name,
        before: recognisable(before[name] ?? ''),
        after: recognisable(after[name] ?? ''),
        changed: before[name] !== after[name],
      }));

function shownRun(run: Run, issuer: string) {
  const { tokens, id_token, access_token, userinfo, refreshed, revoked } = run;
  const error = answerError(run);
  return {
    answer: run.answer,
    checks: answerChecks(run, issuer),
    answer_error: error === undefined ? null : (run.failure ?? { error, description: '' }),
    failure: error === undefined ? (run.failure ?? null) : null,
    exchanges: run.exchanges.map(shownExchange),
    token_fields: Object.keys((run.exchanges[0]?.received as object | undefined) ?? {}),
    tokens: tokens ? { ...tokens, scopes: tokens.scope.split(' ') } : null,
    granted_less: tokens ? missingScopes(run, tokens) : [],
    person: id_token ? personIn(id_token) : null,
    id_token: id_token ? shownToken(id_token) : null,
    access_token: access_token ? shownToken(access_token) : null,
    userinfo: userinfo ? shownDone(userinfo) : null,
    refreshed: refreshed ? { ...shownDone(refreshed), changes: shownRefresh(refreshed.before, refreshed.after) } : null,
    revoked: revoked ? { ...shownDone(revoked), token: revoked.token, refused: revoked.refused } : null,
  };
}

/** The person by the best name that the ID token has. */
const personIn = ({ payload }: Inspected): string =>
  [payload['name'], payload['email'], payload.sub].find((name) => typeof name === 'string') ?? '';

/** Scopes that were asked for in vain, as far as the first answer told. */
function missingScopes({ request, refreshed }: Run, tokens: Tokens): string[] {
  const first = refreshed?.before ?? tokens;
  const granted = first.scope.split(' ');
  // An answer for an API lists what its token may do there; the refresh token itself tells that this one was granted.
  if (first.refresh_token !== undefined) granted.push('offline_access');
  return (new URL(request.url).searchParams.get('scope') ?? '')
    .split(' ')
    .filter((scope) => scope !== '' && !granted.includes(scope));
}

interface Extras {
  base: string;
  issuer: string;
  demo: { email: string; password: string } | null;
  log_out_url: string | null;
}

/** The model of the one page, by what the session holds. */
export function pageModel(session: PlaygroundSession, { base, issuer, demo, log_out_url }: Extras) {
  const { run, pending, current, choices = FIRST_CHOICES } = session;
  const next = nextStep(session);
  const request = run?.request ?? (current === undefined ? undefined : pending?.[current]);
  const state = (number: number): StepState => {
    if (number < next) return 'done';
    return number === next ? 'current' : 'todo';
  };
  return {
    path: `${base}/playground`,
    issuer,
    demo,
    notice: session.notice ?? null,
    steps: Array.from({ length: STEP_COUNT }, (_, index) => state(index + 1)),
    next,
    choices,
    scopes: SCOPE_NAMES.map((name) => ({ name, checked: choices.scopes.includes(name) })),
    prompts: PROMPTS,
    request: request ? { url: request.url, parameters: parametersOf(request.url) } : null,
    run: run ? shownRun(run, issuer) : null,
    log_out: log_out_url === null ? null : { url: log_out_url, parameters: parametersOf(log_out_url) },
  };
}
