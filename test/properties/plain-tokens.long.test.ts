/**
 * Usual requests of the three busiest grants may be answered by a shorter way than the library's. Whatever app, person, scope and API it
 * is about, nobody can tell by which way an answer came: not by itself, not by its tokens, not by what others are told of them,
 * not by the record; and whoever went by one way goes on by the other.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OPERATOR } from '../../src/administration/principal.ts';
import type { NewClient } from '../../src/clients/clients.ts';
import { createSealedRecords } from '../../src/protocol/sealed-records.ts';
import type { SealedRecords } from '../../src/protocol/sealed-records.ts';
import { MONGODB_TEST_URI, testDatabase } from '../storage/support/test-database.ts';
import { UNUSUAL, USUAL } from '../support/both-ways.ts';
import type { Beside, Told } from '../support/both-ways.ts';
import { Browser } from '../support/browser.ts';
import { askAs, codeFor, learned, recordsOf } from '../support/chains.ts';
import type { Fields, Onlookers, Place, TokenSet } from '../support/chains.ts';
import { clientKey } from '../support/client-keys.ts';
import { exchangeOf } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { APIS, apps, askedBy, narrower, people, rules, services } from '../support/generated-apps.ts';
import type { Asked, Person } from '../support/generated-apps.ts';
import { backToNow, passTime } from '../support/journey.ts';
import type { App, Authorized } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';

const LONG = 240_000;
/** In which so many refusals are written down, and no more. */
const MINUTE = 61;
const STORES = ['SQLite', ...(MONGODB_TEST_URI ? ['MongoDB'] : [])];
const encrypting = await clientKey('ECDH-ES', 'enc');
const ENCRYPTED = {
  jwks: encrypting.jwks,
  id_token_encrypted_response_alg: 'ECDH-ES',
  id_token_encrypted_response_enc: 'A128GCM',
} as NewClient['protocol'];

type Change = 'nothing' | 'name' | 'roles' | 'bare' | 'brief' | 'pairwise' | 'narrow' | 'claims';
interface Step {
  /** Seconds since the step before: longer than anything is held in memory. */
  after: number;
  change: Change;
  scope: string | undefined;
  resource: string[];
  place: Place;
}
/** How a code is exchanged, and what happens before. */
interface Exchange extends Pick<Step, 'after' | 'change' | 'place'> {
  /** Whether the app names its API once more. */
  again: boolean;
}
const NOTHING_MORE = fc.constant({ scope: undefined, resource: [] as string[] });
const places = fc.constantFrom<Place>('header', 'header', 'body');
/** What has changed by then: mostly nothing. */
const changes = (nothing: number) =>
  fc.oneof(
    { weight: nothing, arbitrary: fc.constant<Change>('nothing') },
    { weight: 2, arbitrary: fc.constantFrom<Change>('name', 'roles', 'bare', 'brief', 'pairwise', 'narrow', 'claims') },
  );
const steps = fc.array(
  fc
    .record({ after: fc.constantFrom(2, 2, 60, 3000, 90_000), change: changes(3) })
    .chain((step) =>
      fc
        .tuple(places, fc.oneof({ weight: 3, arbitrary: NOTHING_MORE }, { weight: 2, arbitrary: narrower }))
        .map(([place, asked]): Step => ({ ...step, ...asked, place })),
    ),
  { minLength: 3, maxLength: 3 },
);
const exchanges = fc.record<Exchange>({
  after: fc.constantFrom(2, 2, 58),
  change: changes(10),
  again: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  place: places,
});

const fieldsOf = ({ scope, resource }: Pick<Step, 'scope' | 'resource'>): Fields => [
  ...(scope === undefined ? [] : [['scope', scope] as [string, string]]),
  ...resource.map((one) => ['resource', one] as [string, string]),
];

describe.each(STORES)('tokens on %s', (store) => {
  const runs = store === 'SQLite' ? { people: 60, programs: 60 } : { people: 10, programs: 15 };
  let gatehouse: Running;
  let apis: App[];
  let records: SealedRecords;
  let drop = async () => undefined as void;
  beforeAll(async () => {
    const database = store === 'MongoDB' ? testDatabase() : undefined;
    drop = database?.drop ?? drop;
    const url: Record<string, string> = database ? { GATEHOUSE_STORAGE_URL: database.url } : {};
    gatehouse = await startGatehouse({ GATEHOUSE_LIMITS_ENABLED: 'false', ...url });
    records = createSealedRecords({ store: gatehouse.storage.protocol, vault: gatehouse.vaultFor('records') });
    apis = await Promise.all(APIS.map((api) => gatehouse.app(api)));
    await gatehouse.roles.create(OPERATOR, { name: 'editor', permissions: ['notes:write', 'notes:share'] });
    await gatehouse.groups.create(OPERATOR, { name: 'staff', roles: ['editor'] });
    // Time stands still, so that what is equal is equal to the second; and it never goes back, lest something be held for too long.
    passTime(0);
  });
  afterAll(async () => {
    backToNow();
    await gatehouse.stop();
    await drop();
  });

  /** Time in which the process looked at its signing keys: until it has, everything goes the longer way. */
  async function later(seconds: number): Promise<void> {
    passTime(seconds);
    await gatehouse.liveKeys.refresh();
  }

  /** Something that was otherwise when the chains began. */
  async function change(what: Change, { app, person }: { app: App; person: string }): Promise<void> {
    const { accounts, clients, claimTables } = gatehouse;
    if (what === 'name')
      await accounts.edit(person, { name: `Ada ${Math.random()}`, claims: { nickname: 'Countess' } });
    if (what === 'roles') await accounts.edit(person, { roles: ['reader'], groups: ['staff'] });
    if (what === 'bare') await clients.update(app.client_id, { id_token_profile_claims: false });
    if (what === 'brief') await clients.update(app.client_id, { access_token_lifetime: 31, id_token_lifetime: 32 });
    if (what === 'pairwise') await clients.update(app.client_id, { protocol: { subject_type: 'pairwise' } });
    if (what === 'narrow') await clients.update(app.client_id, { scope: 'openid email notes:read' });
    if (what === 'claims')
      await claimTables.set(OPERATOR, app.client_id, [
        { claim: ['badge'], source: 'groups', into: ['id_token', 'access_token', 'userinfo'] },
      ]);
  }

  /** Two answers, what follows from each, and what was written down of each. */
  async function expectAlike(world: Onlookers, usual: () => Promise<Told>, unusual: () => Promise<Told>) {
    const written = recordsOf(gatehouse, world.app);
    await written.skip();
    const [one, itsRecords] = [await usual(), await written.next()];
    const [other, otherRecords] = [await unusual(), await written.next()];
    expect(await learned(world, one)).toEqual(await learned(world, other));
    expect(itsRecords).toEqual(otherRecords);
    expect(itsRecords).toHaveLength(1);
    return [one, other] as const;
  }

  /** What is stored of a chain, but for what tells it from others. */
  async function kept(token: string) {
    const chain = await records.find('RefreshToken', token.split('~')[0]!);
    const own = { jti: typeof chain?.['jti'], grantId: typeof chain?.['grantId'] };
    return JSON.parse(JSON.stringify({ ...chain, ...own })) as object;
  }

  async function sameForPeople(input: Partial<NewClient>, person: Person, asked: Asked, first: Exchange, then: Step[]) {
    const { picture, roles, groups, claims } = person;
    const somebody = await gatehouse.person({ picture, roles, groups });
    await gatehouse.accounts.edit(somebody.sub, { claims });
    const app = await gatehouse.app(input);
    const rp = await relyingParty(gatehouse, app);
    const browser = new Browser(gatehouse.issuer);
    const codes: Authorized[] = [];
    for (let index = 0; index < 2; index += 1) codes.push(await codeFor(rp, somebody, browser, asked));
    const world = { gatehouse, app, apis, key: encrypting.key };
    await change(first.change, { app, person: somebody.sub });
    await later(first.after);
    // Of several it has to name one.
    const isNamed = first.again || asked.resource.length > 1;
    const again = fieldsOf({ scope: undefined, resource: isNamed ? asked.resource.slice(0, 1) : [] });
    const exchange = (code: Authorized, way: Beside) =>
      askAs(gatehouse, app, [...Object.entries(exchangeOf(app, code)), ...again], way, first.place);
    const given = await expectAlike(
      world,
      () => exchange(codes[0]!, USUAL),
      () => exchange(codes[1]!, UNUSUAL),
    );
    const [one, other] = given.map(({ body }) => (body as TokenSet).refresh_token);
    if (one === undefined || other === undefined) return;
    // Who went by one way goes on by the other.
    const chains: { token: string; way: Beside }[] = [
      { token: one, way: UNUSUAL },
      { token: other, way: USUAL },
    ];
    expect(await kept(one)).toEqual(await kept(other));
    const refresh = ({ token, way }: (typeof chains)[number], step: Step) =>
      askAs(
        gatehouse,
        app,
        [['grant_type', 'refresh_token'], ['refresh_token', token], ...fieldsOf(step)],
        way,
        step.place,
      );
    for (const step of then) {
      await change(step.change, { app, person: somebody.sub });
      await later(step.after);
      const answers = await expectAlike(
        world,
        () => refresh(chains[0]!, step),
        () => refresh(chains[1]!, step),
      );
      answers.forEach(({ body }, index) => {
        const chain = chains[index]!;
        chain.token = (body as TokenSet).refresh_token ?? chain.token;
        chain.way = chain.way === USUAL ? UNUSUAL : USUAL;
      });
      expect(await kept(chains[0]!.token)).toEqual(await kept(chains[1]!.token));
    }
  }

  it('of people are the same by both ways, and by one after the other', { timeout: LONG }, async () => {
    const everything = apps(ENCRYPTED).chain((app) =>
      fc.tuple(fc.constant(app), people, rules, askedBy(app), exchanges, steps),
    );
    await fc.assert(
      fc.asyncProperty(everything, async ([app, person, table, asked, first, then]) => {
        await gatehouse.claimTables.set(OPERATOR, '_default', table);
        await later(MINUTE);
        await sameForPeople(app, person, asked, first, then);
      }),
      { numRuns: runs.people, endOnFailure: true },
    );
  });

  it('of programs are the same by both ways', { timeout: LONG }, async () => {
    await fc.assert(
      fc.asyncProperty(
        services,
        rules,
        fc.array(fc.tuple(narrower, places), { minLength: 1, maxLength: 3 }),
        async (input, table, all) => {
          await gatehouse.claimTables.set(OPERATOR, '_default', table);
          await later(MINUTE);
          const app = await gatehouse.app(input);
          const world = { gatehouse, app, apis, key: encrypting.key };
          for (const [asked, place] of all) {
            const send = (way: Beside) =>
              askAs(gatehouse, app, [['grant_type', 'client_credentials'], ...fieldsOf(asked)], way, place);
            await expectAlike(
              world,
              () => send(USUAL),
              () => send(UNUSUAL),
            );
          }
        },
      ),
      { numRuns: runs.programs, endOnFailure: true },
    );
  });
});
