/**
 * Credentials of apps that are wrong, or written otherwise. Usual token requests may be answered by a shorter way than the library's: it
 * takes nothing for right that the library does not, and what it leaves to the library is counted and answered as ever.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AWKWARD_SECRET, bothGrants, GRANTS, later } from '../support/both-grants.ts';
import type { BothGrants } from '../support/both-grants.ts';
import { ask, comparable, headerOf, UNUSUAL, USUAL } from '../support/both-ways.ts';
import type { Beside, Told } from '../support/both-ways.ts';
import { basic } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { backToNow } from '../support/journey.ts';
import type { App } from '../support/journey.ts';

const DAY = 86_400;
const encode = encodeURIComponent;
const base64 = (text: string | Uint8Array) => Buffer.from(text).toString('base64');
/** Every letter of it. */
const percent = (text: string) => [...Buffer.from(text)].map((byte) => `%${byte.toString(16)}`).join('');
const written = ({ client_id, client_secret }: BothGrants['app']) => `${encode(client_id)}:${encode(client_secret)}`;

type Write = (app: BothGrants['app']) => string;
const scheme =
  (name: string, text: Write): Write =>
  (app) =>
    `${name}${base64(text(app))}`;
const as = (text: Write) => scheme('Basic ', text);
const without = (count: number) => (text: string) => text.slice(0, text.length - count);

const GOOD: Record<string, Write> = {
  'as the specification says': as(written),
  'with a scheme in small letters': scheme('basic ', written),
  'with a scheme in mixed letters': scheme('bAsIC ', written),
  'without padding': (app) => as(written)(app).replaceAll('=', ''),
  'with every letter percent-encoded': as(
    ({ client_id, client_secret }) => `${percent(client_id)}:${percent(client_secret)}`,
  ),
  'with hexadecimal digits in small letters': as((app) => written(app).replaceAll(/%../g, (one) => one.toLowerCase())),
  'with spaces as plus': as((app) => written(app).replaceAll('%20', '+')),
  'with a bare colon in the secret': as((app) => written(app).replaceAll('%3A', ':')),
};

const BAD: Record<string, Write> = {
  'with nothing in the header': () => '',
  'with a scheme alone': () => 'Basic',
  'with two spaces': scheme('Basic  ', written),
  'with a tab': scheme('Basic\t', written),
  'with a comma for the space': scheme('Basic,', written),
  'with something after it': (app) => `${as(written)(app)} x`,
  'with a comma after it': (app) => `${as(written)(app)},`,
  twice: (app) => `${as(written)(app)}, ${as(written)(app)}`,
  'with another scheme': scheme('Bearer ', written),
  'with a scheme that begins alike': scheme('Basics ', written),
  'not encoded': (app) => `Basic ${written(app)}`,
  'with padding in the middle': (app) => `Basic ${base64(written(app).slice(0, 5))}=${base64(written(app).slice(5))}`,
  'with too much padding': (app) => `${as(written)(app).replaceAll('=', '')}====`,
  'with padding of another length': (app) => {
    const bare = as(written)(app).replaceAll('=', '');
    return bare + ((bare.length - 'Basic '.length) % 4 === 3 ? '==' : '=');
  },
  'with a letter too few': (app) => `Basic ${base64(written(app).padEnd(90)).slice(0, 117)}`,
  'with letters of no alphabet': (app) => `${as(written)(app)}!`,
  'without a colon': as(({ client_id }) => client_id),
  'with another sign for the colon': as((app) => written(app).replace(':', ';')),
  'without a secret': as(({ client_id }) => `${client_id}:`),
  'without an id': as(({ client_secret }) => `:${encode(client_secret)}`),
  'with a colon alone': as(() => ':'),
  'with a percent sign that means nothing': as((app) => `${written(app)}%zz`),
  'with half a percent-encoding': as((app) => `${written(app)}%4`),
  'with a percent-encoding of no letter': as((app) => `${written(app)}%ff`),
  'with a null character after it': as((app) => `${written(app)}%00`),
  'with a bare null character after it': as((app) => `${written(app)}\0`),
  'with a line break after it': as((app) => `${written(app)}%0D%0A`),
  'with a space after it': as((app) => `${written(app)}%20`),
  'with a mark of byte order before it': as((app) => `\ufeff${written(app)}`),
  'with letters beyond ASCII': as((app) => `${written(app)}é`),
  'with bytes that are no letters': (app) =>
    `Basic ${base64(Buffer.concat([Buffer.from(written(app)), Buffer.from([0xff])]))}`,
  'with another secret': as(({ client_id }) => `${client_id}:${'0123456789abcdef'.repeat(2)}`),
  'with a secret in other letters': as(
    ({ client_id, client_secret }) => `${client_id}:${encode(client_secret.toUpperCase())}`,
  ),
  'with a secret that is cut short': as(
    ({ client_id, client_secret }) => `${client_id}:${encode(without(1)(client_secret))}`,
  ),
  'with a secret that goes on': as(({ client_id, client_secret }) => `${client_id}:${encode(client_secret)}0`),
  'with an id in other letters': as(
    ({ client_id, client_secret }) => `${client_id.toUpperCase()}:${encode(client_secret)}`,
  ),
  'with a space after the id': as(({ client_id, client_secret }) => `${client_id}%20:${encode(client_secret)}`),
  'with the id of nobody': as(({ client_secret }) => `app_nobody:${encode(client_secret)}`),
  'with the name of what objects have': as(({ client_secret }) => `__proto__:${encode(client_secret)}`),
};

/** What a secret that is drawn needs no care for. */
const BAD_IF_AWKWARD: Record<string, Write> = {
  'in base64url': (app) => as(written)(app).replaceAll('+', '-').replaceAll('/', '_'),
  'with a secret as it is': as(({ client_id, client_secret }) => `${client_id}:${client_secret}`),
};

const CASES = GRANTS.flatMap((grant) => [
  [grant, 'drawn', undefined] as const,
  [grant, 'awkward', AWKWARD_SECRET] as const,
]);

describe.each(CASES)('credentials for %s, with a secret that is %s,', (grant, _what, secret) => {
  let gatehouse: Running;
  let both: BothGrants;
  beforeAll(async () => {
    gatehouse = await startGatehouse({ GATEHOUSE_LIMITS_ENABLED: 'false' });
    both = await bothGrants(gatehouse, secret);
  });
  afterAll(() => gatehouse.stop());
  beforeEach(() => later(0, gatehouse));
  afterEach(backToNow);

  const send = (write: Write) =>
    both.both((beside) => ({ headers: { authorization: write(both.app) }, body: both.fields(grant) + beside }));
  async function isRefused(authorization: string) {
    const { told, alike } = await both.both((beside) => ({
      headers: { authorization },
      body: both.fields(grant) + beside,
    }));
    expect(alike[0]).toEqual(alike[1]);
    expect([400, 401]).toContain(told.status);
    expect(Object.keys(told.body)).toEqual(['error', 'error_description']);
    expect((await both.usual(grant)).status).toBe(200);
  }

  it.each(Object.entries(GOOD))('%s are taken', async (_how, write) => {
    const { told, alike } = await send(write);
    expect(alike[0]).toEqual(alike[1]);
    expect(told.status).toBe(200);
  });

  const bad = { ...BAD, ...(secret === AWKWARD_SECRET ? BAD_IF_AWKWARD : {}) };
  it.each(Object.entries(bad))('%s are refused', (_how, write) => isRefused(write(both.app)));

  it('of other clients, and what is kept of a secret, are refused', async () => {
    const other = await gatehouse.app({ type: 'service' });
    const spa = await gatehouse.app({ type: 'spa' });
    const api = await gatehouse.app({ type: 'api', scope: 'notes:read' });
    const { client_id } = both.app;
    const { secret_hash } = await gatehouse.clients.get(client_id);
    for (const [id, secret] of [
      [client_id, other.client_secret!],
      [other.client_id, both.app.client_secret],
      [client_id, secret_hash!],
      [client_id, secret_hash!.replace('sha256:', '')],
      [spa.client_id, both.app.client_secret],
      [api.client_id, both.app.client_secret],
      ['gatehouse-console', both.app.client_secret],
    ] as const)
      await isRefused(basic(id, secret)['authorization']!);
  });

  it('missing altogether are refused', async () => {
    const { told, alike } = await both.both((beside) => ({ body: both.fields(grant) + beside }));
    expect(alike[0]).toEqual(alike[1]);
    expect(told.status).toBe(400);
  });

  const id = () => `client_id=${encode(both.app.client_id)}`;
  const right = () => `client_secret=${encode(both.app.client_secret)}`;
  const inForm = (form: string) => (beside: Beside) => ({ body: form + beside });

  it('among the fields are taken, in any order and spelling', async () => {
    const spelled = () => `client%5Fid=${percent(both.app.client_id)}&client_secret=${percent(both.app.client_secret)}`;
    const forms = [
      () => `${id()}&${right()}&${both.fields(grant)}`,
      () => `${both.fields(grant)}&${right()}&${id()}`,
      () => `${spelled()}&${both.fields(grant)}`,
    ];
    for (const form of forms) {
      const { told, alike } = await both.both((beside) => inForm(form())(beside));
      expect(alike[0]).toEqual(alike[1]);
      expect(told.status).toBe(200);
    }
  });

  it.each<[string, () => string]>([
    ['the id alone', id],
    ['the secret alone', right],
    ['an empty id', () => `client_id=&${right()}`],
    ['an empty secret', () => `${id()}&client_secret=`],
    ['the secret twice', () => `${id()}&${right()}&${right()}`],
    ['the id twice', () => `${id()}&${id()}&${right()}`],
    ['a wrong secret', () => `${id()}&client_secret=wrong`],
    ['a wrong secret and the right one', () => `${id()}&client_secret=wrong&${right()}`],
    ['a secret in brackets', () => `${id()}&${right().replace('=', '[]=')}`],
    ['a secret with a space after it', () => `${id()}&${right()}+`],
    ['a secret with a null character after it', () => `${id()}&${right()}%00`],
    ['a secret with bytes after it that are no letters', () => `${id()}&${right()}%ff`],
    [
      'a secret of which letters are encoded twice',
      () => `${id()}&client_secret=${encode(percent(both.app.client_secret))}`,
    ],
    ['the id of nobody', () => `client_id=app_nobody&${right()}`],
    ['an assertion beside them', () => `${id()}&${right()}&client_assertion=a.b.c`],
  ])('among the fields, %s, are refused', async (_how, form) => {
    const { told, alike } = await both.both((beside) => inForm(`${form()}&${both.fields(grant)}`)(beside));
    expect(alike[0]).toEqual(alike[1]);
    expect([400, 401]).toContain(told.status);
    expect((await both.usual(grant)).status).toBe(200);
  });

  it('both in a header and among the fields are refused, right as they are', async () => {
    const { told, alike } = await both.both((beside) => ({
      headers: both.headers(),
      body: `${both.fields(grant)}&${id()}&${right()}${beside}`,
    }));
    expect(alike[0]).toEqual(alike[1]);
    expect(told.status).toBe(400);
  });
});

/** Each form of a request asks about an app of its own, so that neither counts for the other. */
describe.each([
  ['by usual requests', () => USUAL],
  ['by unusual ones', () => UNUSUAL],
  ['by both in turn', (index: number) => (index % 2 ? USUAL : UNUSUAL)],
] as const)('guessing the secret of an app %s', (_how, besideOf: (index: number) => Beside) => {
  const MOST = 20;
  let gatehouse: Running;
  let app: App;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
  });
  beforeEach(async () => {
    await later(0, gatehouse); // and stands still, so that a busy machine is not outside of a window or a lock-out
    app = await gatehouse.app({ type: 'service' });
  });
  afterEach(backToNow);
  afterAll(() => gatehouse.stop());

  let index = 0;
  const send = (secret: string): Promise<Told> =>
    ask(gatehouse, {
      headers: basic(app.client_id, secret),
      body: `grant_type=client_credentials${besideOf((index += 1))}`,
    });

  it('is stopped after twenty attempts, each of which counts once, and the right one comes too late', async () => {
    const guesses: number[] = [];
    for (let guess = 0; guess < MOST + 3; guess += 1) guesses.push((await send('wrong')).status);
    expect(guesses).toEqual([...Array<number>(MOST).fill(401), 429, 429, 429]);
    const late = [await send(app.client_secret!), await send(app.client_secret!)];
    expect(late.map(({ status }) => status)).toEqual([429, 429]);
    expect(comparable(late[0]!)).toEqual(comparable(late[1]!));
    expect(Number(headerOf(late[0]!, 'retry-after'))).toBeGreaterThan(50);
    await later(62, gatehouse);
    expect((await send(app.client_secret!)).status).toBe(200);
  });

  it('is stopped also where right ones come in between, which count for nothing', async () => {
    const seen: number[] = [];
    for (let guess = 0; guess < MOST; guess += 1) {
      seen.push((await send('wrong')).status);
      if (guess < MOST - 1) seen.push((await send(app.client_secret!)).status);
    }
    expect(seen).toEqual([...Array.from({ length: MOST - 1 }, () => [401, 200]).flat(), 401]);
    expect((await send(app.client_secret!)).status).toBe(429);
  });

  it('at the same instant gets no more attempts', async () => {
    const answers = await Promise.all(Array.from({ length: 60 }, () => send('wrong')));
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(MOST);
    expect((await send(app.client_secret!)).status).toBe(429);
  });
});

describe.each<[string, Beside]>([
  ['a usual request', USUAL],
  ['an unusual one', UNUSUAL],
])('a secret that is over, sent by %s', (_how, beside) => {
  let gatehouse: Running;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
  });
  afterEach(backToNow);
  afterAll(() => gatehouse.stop());

  const isTaken = async ({ client_id }: App, secret: string) => {
    const body = `grant_type=client_credentials${beside}`;
    const { status } = await ask(gatehouse, { headers: basic(client_id, secret), body });
    return status === 200;
  };

  it('is refused from the second on in which it ends', async () => {
    const app = await gatehouse.app({ type: 'service' });
    await later(0, gatehouse);
    const { client_secret } = await gatehouse.clients.rotateSecret(app.client_id, { overlap: 0, expires_in: DAY });
    await later(2, gatehouse);
    expect([await isTaken(app, app.client_secret!), await isTaken(app, client_secret!)]).toEqual([false, true]);
    await later(DAY - 3, gatehouse);
    expect(await isTaken(app, client_secret!)).toBe(true);
    await later(1, gatehouse);
    expect(await isTaken(app, client_secret!)).toBe(false);
  });

  it('is refused a second after it was revoked, or its app was deleted, or is to prove itself otherwise', async () => {
    const { clients } = gatehouse;
    const ends: ((app: App) => Promise<unknown>)[] = [
      async ({ client_id }) => {
        const { client } = await clients.addSecret(client_id);
        return clients.revokeSecret(client_id, client.earlier_secret!.id);
      },
      ({ client_id }) => clients.delete(client_id),
      ({ client_id }) => clients.update(client_id, { protocol: { token_endpoint_auth_method: 'client_secret_jwt' } }),
      ({ client_id }) => clients.update(client_id, { protocol: { grant_types: ['authorization_code'] } }),
    ];
    for (const end of ends) {
      const app = await gatehouse.app({ type: 'service' });
      expect(await isTaken(app, app.client_secret!)).toBe(true);
      await end(app);
      await later(1.1, gatehouse);
      expect(await isTaken(app, app.client_secret!)).toBe(false);
    }
  });
});
