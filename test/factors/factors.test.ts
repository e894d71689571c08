import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFactors } from '../../src/factors/factors.ts';
import type { FactorNeeds, Factors } from '../../src/factors/factors.ts';
import { createVault } from '../../src/kernel/secrets.ts';
import { createSealedRecords } from '../../src/protocol/sealed-records.ts';
import { openStorage } from '../../src/storage/open.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { winners } from '../storage/contract/at-once.ts';
import { codeOf } from '../support/authenticator.ts';
import { backToNow, passTime } from '../support/journey.ts';

const ada = { id: 'usr_ada', email: 'ada@example.com', roles: [] as string[] };
const SETTINGS: FactorNeeds['settings'] = {
  policy: 'optional',
  required_roles: ['admin'],
  mailed_code: false,
  remember_device: 3600,
  enrolment_grace: 0,
};

let storage: Storage;
let factors: Factors;
const vault = createVault(Buffer.alloc(32, 7));
const open = (change: Partial<FactorNeeds> & { settings?: FactorNeeds['settings'] } = {}) =>
  createFactors({
    store: storage.factors,
    records: createSealedRecords({ store: storage.protocol, vault }),
    vault,
    issuer: 'Gatehouse',
    settings: SETTINGS,
    ...change,
  });
beforeEach(async () => {
  passTime(0); // so that no step begins in the middle of a test
  storage = await openStorage('sqlite::memory:');
  factors = open();
});
afterEach(async () => {
  backToNow();
  await storage.close();
});

/** @returns the secret. */
async function enrol(): Promise<string> {
  const { secret } = await factors.beginTotp(ada, 'here');
  expect(await factors.confirmTotp(ada.id, 'here', await codeOf(secret))).toBe(true);
  return secret;
}

describe('an authenticator app', () => {
  it('is enrolled by a first code, typed where it was begun', async () => {
    const { secret, qr } = await factors.beginTotp(ada, 'here');
    expect(secret).toMatch(/^[A-Z2-7]{32}$/);
    expect(qr).toMatch(/^<svg [^>]*viewBox="0 0 \d+ \d+"/);
    expect(qr).not.toMatch(/style|script|href/);
    expect((await factors.beginTotp(ada, 'here')).secret).toBe(secret);
    expect((await factors.beginTotp(ada, 'there')).secret).not.toBe(secret);
    expect(await factors.confirmTotp(ada.id, 'nowhere', await codeOf(secret))).toBeUndefined();
    expect(await factors.confirmTotp('usr_bob', 'here', await codeOf(secret))).toBeUndefined();
    expect(await factors.confirmTotp(ada.id, 'here', await codeOf(secret, 3600))).toBe(false);
    expect(await factors.of(ada.id)).toEqual({ totp: false, passkeys: 0, recovery_codes_left: 0 });
    const code = await codeOf(secret);
    expect(await winners(20, async () => (await factors.confirmTotp(ada.id, 'here', code)) === true)).toBe(1);
    expect(await factors.of(ada.id)).toMatchObject({ totp: true });
  });

  it('has a secret that rests sealed, for this account alone', async () => {
    const secret = await enrol();
    const kept = (await storage.factors.find(ada.id))!;
    expect(JSON.stringify(kept)).not.toContain(secret);
    await storage.factors.put({ ...kept, account_id: 'usr_bob', version: 0 });
    await expect(factors.useTotp('usr_bob', await codeOf(secret, 30))).rejects.toThrow();
  });

  it('is good for each step once, also the step it was enrolled with, and for one step of drift', async () => {
    const secret = await enrol();
    expect(await factors.useTotp(ada.id, await codeOf(secret))).toBe(false);
    expect(await factors.useTotp(ada.id, await codeOf(secret, 30))).toBe(true);
    expect(await factors.useTotp(ada.id, await codeOf(secret, 30))).toBe(false);
    passTime(300);
    for (const off of [-61, 61, 600]) expect(await factors.useTotp(ada.id, await codeOf(secret, off))).toBe(false);
    const code = await codeOf(secret, -30);
    expect(await factors.useTotp(ada.id, `${code.slice(0, 3)} ${code.slice(3)}`)).toBe(true);
    // Older than the one that was used.
    passTime(30);
    expect(await factors.useTotp(ada.id, await codeOf(secret, -60))).toBe(false);
  });

  it('lets one of 100 in that send the same code at once', async () => {
    const secret = await enrol();
    passTime(60);
    const code = await codeOf(secret);
    expect(await winners(100, () => factors.useTotp(ada.id, code))).toBe(1);
  });

  it.each(['', '12345', '1234567', 'abcdef', '١٢٣٤٥٦', '123456; DROP'])('takes %j for no code', async (code) => {
    await enrol();
    expect(await factors.useTotp(ada.id, code)).toBe(false);
  });

  it('is removed, and what hung on it goes too: recovery codes and remembered devices', async () => {
    await enrol();
    await factors.renewRecoveryCodes(ada.id);
    const mark = await factors.devices.remember(ada.id, 'Firefox');
    expect(await factors.removeTotp(ada)).toBe(true);
    expect(await factors.removeTotp(ada)).toBe(false);
    expect(await factors.of(ada.id)).toEqual({ totp: false, passkeys: 0, recovery_codes_left: 0 });
    expect(await factors.devices.isRemembered(ada.id, [mark])).toBe(false);
  });

  it('stays where it is the last factor and one is required', async () => {
    await enrol();
    await expect(factors.removeTotp({ ...ada, roles: ['admin'] })).rejects.toMatchObject({ code: 'conflict' });
    factors = open({ settings: { ...SETTINGS, policy: 'required' } });
    await expect(factors.removeTotp(ada)).rejects.toMatchObject({ code: 'conflict' });
    expect(await factors.of(ada.id)).toMatchObject({ totp: true });
  });

  it('and a passkey are not both removed at once where one is required', async () => {
    let passkeys = 1;
    factors = open({
      settings: { ...SETTINGS, policy: 'required' },
      passkeys: { count: async () => passkeys, deleteByAccount: async () => undefined },
    });
    await enrol();
    const removePasskey = () => factors.removing(ada, async () => void (passkeys = 0));
    await Promise.allSettled([factors.removeTotp(ada), removePasskey()]);
    const { totp } = await factors.of(ada.id);
    expect((totp ? 1 : 0) + passkeys).toBe(1);
  });
});

describe('recovery codes', () => {
  it('are ten, of which nothing rests but keyed hashes', async () => {
    const codes = await factors.renewRecoveryCodes(ada.id);
    expect(new Set(codes).size).toBe(10);
    for (const code of codes) expect(code).toMatch(/^[0-9a-hjkmnp-tv-z]{4}(-[0-9a-hjkmnp-tv-z]{4}){2}$/);
    const kept = JSON.stringify(await storage.factors.find(ada.id));
    for (const code of codes) expect(kept).not.toContain(code);
    expect(await factors.of(ada.id)).toMatchObject({ recovery_codes_left: 10 });
  });

  it('are good once each, however they are typed, for nobody else', async () => {
    const [one, two, three] = (await factors.renewRecoveryCodes(ada.id)) as [string, string, string];
    await factors.renewRecoveryCodes('usr_bob');
    expect(await factors.useRecoveryCode('usr_bob', one)).toBe(false);
    expect(await factors.useRecoveryCode(ada.id, one)).toBe(true);
    expect(await factors.useRecoveryCode(ada.id, one)).toBe(false);
    const sloppy = ` ${two.toUpperCase().replaceAll('-', ' ').replaceAll('0', 'O').replaceAll('1', 'l')} `;
    expect(await factors.useRecoveryCode(ada.id, sloppy)).toBe(true);
    expect(await winners(50, () => factors.useRecoveryCode(ada.id, three))).toBe(1);
    expect(await factors.of(ada.id)).toMatchObject({ recovery_codes_left: 7 });
  });

  it('are good for nothing once there are new ones', async () => {
    const [old] = await factors.renewRecoveryCodes(ada.id);
    await factors.renewRecoveryCodes(ada.id);
    expect(await factors.useRecoveryCode(ada.id, old!)).toBe(false);
  });

  it('are all used up by ten people at once, each once', async () => {
    const codes = await factors.renewRecoveryCodes(ada.id);
    expect(await winners(30, (index) => factors.useRecoveryCode(ada.id, codes[index % 10]!))).toBe(10);
  });
});

describe('a remembered device', () => {
  it('is known by its mark for a while, for its account alone', async () => {
    const mark = await factors.devices.remember(ada.id, 'Firefox on Windows');
    await factors.devices.remember('usr_bob', 'Safari');
    expect(await factors.devices.isRemembered(ada.id, ['nonsense', mark])).toBe(true);
    expect(await factors.devices.isRemembered('usr_bob', [mark])).toBe(false);
    expect(await factors.devices.isRemembered(ada.id, [])).toBe(false);
    expect(JSON.stringify(await storage.factors.find(ada.id))).not.toContain(mark);
    passTime(3601);
    expect(await factors.devices.isRemembered(ada.id, [mark])).toBe(false);
    expect(await factors.devices.list(ada.id)).toEqual([]);
  });

  it('is listed without its mark, and forgotten one by one', async () => {
    const mark = await factors.devices.remember(ada.id, 'Firefox on Windows');
    const other = await factors.devices.remember(ada.id, 'Safari');
    const [first] = await factors.devices.list(ada.id);
    expect(first).toMatchObject({ name: 'Firefox on Windows' });
    expect(first).not.toHaveProperty('mark_hash');
    expect(await factors.devices.forget('usr_bob', first!.id)).toBe(false);
    expect(await factors.devices.forget(ada.id, first!.id)).toBe(true);
    expect(await factors.devices.isRemembered(ada.id, [mark])).toBe(false);
    expect(await factors.devices.isRemembered(ada.id, [other])).toBe(true);
  });

  it('ends with each change of what it stands for', async () => {
    for (const change of [enrol, () => factors.changed(ada.id), () => factors.erase(ada.id)]) {
      const mark = await factors.devices.remember(ada.id, 'Firefox');
      await change();
      expect(await factors.devices.isRemembered(ada.id, [mark])).toBe(false);
    }
  });

  it('is forgotten where the configuration has it no more', async () => {
    const mark = await factors.devices.remember(ada.id, 'Firefox');
    expect(await open({ settings: { ...SETTINGS, remember_device: 0 } }).devices.isRemembered(ada.id, [mark])).toBe(
      false,
    );
  });
});

describe('time to add a factor', () => {
  it('begins when it is first asked, and ends', async () => {
    expect(await factors.graceLeft(ada.id)).toBe(0);
    factors = open({ settings: { ...SETTINGS, enrolment_grace: 100 } });
    expect(await factors.graceLeft(ada.id)).toBeGreaterThan(98);
    passTime(60);
    expect(await factors.graceLeft(ada.id)).toBeLessThanOrEqual(41);
    passTime(60);
    expect(await factors.graceLeft(ada.id)).toBe(0);
  });
});
