import argon2 from 'argon2';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createAccounts } from '../../src/accounts/accounts.ts';
import { createPasswordHasher } from '../../src/accounts/password-hasher.ts';
import { PASSWORD_MAX, PASSWORD_MIN, passwordProblem } from '../../src/accounts/password-policy.ts';
import { openStorage } from '../../src/storage/open.ts';
import { MEASURED } from '../support/timing.ts';

const CHEAP = { memory_kib: 64, iterations: 1, parallelism: 1, queue: 256 };
const PASSWORD = 'tr0ubadour and staple';

describe('the password policy', () => {
  it.each([
    ['seven77', 'short'],
    ['', 'short'],
    ['🔑🔑🔑🔑🔑🔑🔑', 'short'],
    ['x'.repeat(257), 'long'],
    ['🔑'.repeat(257), 'long'],
    ['password1', 'common'],
    ['PassWord1', 'common'],
    ['iloveyou1', 'common'],
    ['1234567890', 'common'],
    ['qwertyuiop', 'common'],
    ['my ada.lovelace secret', 'contains_email'],
    ['ADA.LOVELACE-2026', 'contains_email'],
  ])('refuses %j: %s', (password, problem) => {
    expect(passwordProblem(password, 'ada.lovelace@example.com')).toBe(problem);
  });

  it.each([
    'correct horse battery',
    'x9$kLm2!',
    '        x',
    'ÄÖÜäöüßẞ',
    '🔑'.repeat(8),
    'z'.repeat(256).replace(/^z/, 'y'),
    'пароль-не-тот',
  ])('accepts %j: there are no rules of composition', (password) => {
    expect(passwordProblem(password, 'ada.lovelace@example.com')).toBeUndefined();
  });

  it('does not refuse what merely holds a very short e-mail name', () => {
    expect(passwordProblem('a banana a day keeps', 'a@example.com')).toBeUndefined();
  });

  it('accepts only what has the right length', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (password) => {
        if (passwordProblem(password, 'x@y.example') !== undefined) return;
        expect([...password].length).toBeGreaterThanOrEqual(PASSWORD_MIN);
        expect([...password].length).toBeLessThanOrEqual(PASSWORD_MAX);
      }),
      { numRuns: 50 },
    );
  });

  it('judges a password of 10 MB at once', MEASURED, () => {
    const started = performance.now();
    expect(passwordProblem('x'.repeat(10_000_000), 'a@b.example')).toBe('long');
    expect(performance.now() - started).toBeLessThan(50);
  });
});

describe('hashing', () => {
  it('is argon2id with its cost in the hash', async () => {
    expect(await createPasswordHasher(CHEAP).hash(PASSWORD)).toMatch(/^\$argon2id\$v=19\$m=64,/);
  });

  it('answers false without a hash and for an overlong password', async () => {
    const hasher = createPasswordHasher(CHEAP);
    expect(await hasher.verify(PASSWORD, null)).toBe(false);
    expect(await hasher.verify('no account has this password', null)).toBe(false);
    expect(await hasher.verify('x'.repeat(257), await argon2.hash('x'.repeat(257)))).toBe(false);
  });

  it('does not read more of a password than counts', async () => {
    const hasher = createPasswordHasher(CHEAP);
    const hash = await hasher.hash('🔑'.repeat(256));
    expect(await hasher.verify('🔑'.repeat(256), hash)).toBe(true);
    expect(await hasher.verify('🔑'.repeat(255) + '🗝', hash)).toBe(false);
  });

  it('refuses as busy what the queue cannot take, and works again afterwards', async () => {
    const hasher = createPasswordHasher({ ...CHEAP, queue: 2 });
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => hasher.hash(PASSWORD)));
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused.length).toBeGreaterThan(10);
    for (const { reason } of refused) expect(reason).toMatchObject({ code: 'busy', status: 503 });
    expect(await hasher.hash(PASSWORD)).toMatch(/^\$argon2id/);
  });

  it('leaves room for signatures while many wait', async () => {
    const hasher = createPasswordHasher({ ...CHEAP, memory_kib: 32_768 });
    const hashing = Promise.all(Array.from({ length: 8 }, () => hasher.hash(PASSWORD)));
    let done = false;
    void hashing.then(() => (done = true));
    const { privateKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
    let signatures = 0;
    while (!done && signatures < 20) {
      await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, privateKey, Buffer.from('x'));
      signatures += 1;
    }
    expect(signatures).toBe(20);
    await hashing;
  });
});

describe('accounts', () => {
  const open = async (cost = CHEAP) => {
    const storage = await openStorage('sqlite::memory:');
    const withCost = (next: typeof CHEAP) =>
      createAccounts({ store: storage.accounts, hasher: createPasswordHasher(next) });
    return { storage, accounts: withCost(cost), withCost };
  };
  const email = 'ada@example.com';

  it('get a costlier hash at the first sign-in after the cost has grown', async () => {
    const { accounts, withCost } = await open();
    const { id } = await accounts.create({ email, name: 'Ada', password: PASSWORD });
    const stronger = withCost({ ...CHEAP, iterations: 2 });
    expect(await stronger.authenticate(email, 'not the password')).toBeUndefined();
    expect((await stronger.find(id))!.password_hash).toContain('t=1');
    expect(await stronger.authenticate(email, PASSWORD)).toBeDefined();
    expect((await stronger.find(id))!.password_hash).toContain('t=2');
    expect(await stronger.authenticate(email, PASSWORD)).toBeDefined();
  });

  it('keep a password that was set while the old one was being hashed anew', async () => {
    const { accounts, withCost } = await open();
    const { id } = await accounts.create({ email, name: 'Ada', password: PASSWORD });
    const stronger = withCost({ ...CHEAP, iterations: 2 });
    await Promise.all([stronger.authenticate(email, PASSWORD), stronger.setPassword(id, 'a newer pass phrase')]);
    expect(await stronger.authenticate(email, 'a newer pass phrase')).toBeDefined();
    expect(await stronger.authenticate(email, PASSWORD)).toBeUndefined();
  });

  it('note ten sign-ins at once', async () => {
    const { accounts } = await open();
    await accounts.create({ email, name: 'Ada', password: PASSWORD });
    const found = await Promise.all(Array.from({ length: 10 }, () => accounts.authenticate(email, PASSWORD)));
    expect(found.every((account) => account?.last_sign_in_at)).toBe(true);
  });

  it('never give an e-mail twice, at once neither', async () => {
    const { accounts } = await open();
    const outcomes = await Promise.allSettled(
      ['ada@example.com', 'ADA@example.com', ' ada@EXAMPLE.com ', '"ada"@example.com'].map((one) =>
        accounts.create({ email: one, name: 'Ada' }),
      ),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'duplicate', field: 'email' });
  });

  it.each([
    [{ email: 'nonsense' }, 'email'],
    [{ name: '  ' }, 'name'],
    [{ name: 'x'.repeat(201) }, 'name'],
    [{ password: 'short' }, 'password'],
    [{ roles: ['two words'] }, 'roles'],
    [{ roles: ['<script>'] }, 'roles'],
  ])('with %j are refused, naming the field', async (input, field) => {
    const { accounts } = await open();
    await expect(accounts.create({ email, name: 'Ada', ...input })).rejects.toMatchObject({
      code: 'invalid_input',
      field,
    });
  });
});
