/** Files for `apply` that were written, or changed, by somebody who means harm; and secrets that must not get into any. */
import { randomBytes } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadSources } from '../../src/files/load.ts';
import { apply, exported, planOf, problemsOf } from '../support/files.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';

const service = (reference: string) => `kind: client
client_id: nightly
type: service
client_name: Nightly
client_secret: ${reference}
`;

describe('files that mean harm', () => {
  let gatehouse: Running;
  let folder: string;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-files-'));
  });
  afterAll(async () => {
    await gatehouse.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('cannot grow: aliases are refused, and so is what YAML would make objects of', async () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]
b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]
c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]
d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]
e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]
f: [*e,*e,*e,*e,*e,*e,*e,*e,*e]
`;
    expect(await problemsOf(gatehouse, bomb)).toEqual(['all.yaml:2: aliases are not read: write the value out']);
    expect(await problemsOf(gatehouse, 'kind: client\nclient_name: !!js/function "x"\n')).toEqual([
      expect.stringContaining('all.yaml:2:'),
    ]);
    expect(await problemsOf(gatehouse, 'kind: client\nkind: api\n')).toEqual([
      expect.stringContaining('Map keys must be unique'),
    ]);
    expect(await problemsOf(gatehouse, 'kind: client\n__proto__: {polluted: true}\nclient_name: x\n')).not.toEqual([]);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('set nothing that is not theirs to set', async () => {
    const [own, ...fields] = ['secret_hash', 'secret_sealed', 'version', 'created_at', 'dynamically_registered', 'id'];
    for (const field of [own, ...fields])
      expect(await problemsOf(gatehouse, `${service('env:X')}${field}: "1"\n`)).toEqual([
        expect.stringContaining(`all.yaml:6: ${field} is not known`),
      ]);
    for (const id of ['gatehouse-console', 'playground', 'a/../b', 'a b', '-rf', 'https://evil.example/'])
      expect(await problemsOf(gatehouse, service('env:X').replace('nightly', JSON.stringify(id)))).toHaveLength(1);
  });

  it('hold no secret, and no message repeats one that was written into them', async () => {
    const canary = randomBytes(32).toString('base64url');
    const told = await problemsOf(gatehouse, service(canary));
    expect(told).toEqual([expect.stringContaining('all.yaml:5: client_secret: must say where the secret is')]);
    expect(told.join()).not.toContain(canary);
    const short = 'canary-short';
    const weak = await problemsOf(gatehouse, service('env:SECRET'), { env: { SECRET: short } });
    expect(weak).toEqual([expect.stringContaining('must be random')]);
    expect(weak.join()).not.toContain(short);
  });

  it('say what is wrong with the file that a reference names', async () => {
    const at = (name: string) => problemsOf(gatehouse, service(`file:${name}`), { folder });
    mkdirSync(path.join(folder, 'dir'));
    symlinkSync('nowhere', path.join(folder, 'dangling'));
    symlinkSync('loop', path.join(folder, 'loop'));
    symlinkSync('dir', path.join(folder, 'to-dir'));
    writeFileSync(path.join(folder, 'empty'), '\n');
    writeFileSync(path.join(folder, 'large'), 'x'.repeat(70_000));
    execFileSync('mkfifo', [path.join(folder, 'pipe')]);
    expect(await at('dir')).toEqual([expect.stringContaining('is a folder')]);
    expect(await at('to-dir')).toEqual([expect.stringContaining('is a folder')]);
    expect(await at('dangling')).toEqual([expect.stringContaining('does not exist, or is a link to nothing')]);
    expect(await at('loop')).toEqual([expect.stringContaining('leads back to itself')]);
    expect(await at('missing')).toEqual([expect.stringContaining('does not exist')]);
    expect(await at('empty')).toEqual([expect.stringContaining('is empty')]);
    expect(await at('large')).toEqual([expect.stringContaining('is larger than')]);
    expect(await at('pipe')).toEqual([expect.stringContaining('is not a file')]);
    await expect(loadSources([path.join(folder, 'pipe')])).rejects.toThrow('is not a file');
  });

  it('leave the secret out of plans, exports, records and logs', async () => {
    const canary = randomBytes(32).toString('base64url');
    writeFileSync(path.join(folder, 'secret'), `${canary}\n`);
    symlinkSync('secret', path.join(folder, 'link'));
    const text = service('file:link');
    const steps = await planOf(gatehouse, text, { folder });
    await apply(gatehouse, text, { folder });
    const next = randomBytes(32).toString('base64url');
    await apply(gatehouse, service('env:NEXT'), { env: { NEXT: next } });
    const { items } = await gatehouse.audit.search({ limit: 100, after: undefined });
    const all = JSON.stringify([steps, items, gatehouse.logged, await exported(gatehouse)]);
    expect(items.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['client_registered', 'client_secret_rotated']),
    );
    for (const secret of [canary, next]) expect(all).not.toContain(secret);
    expect(await exported(gatehouse)).not.toContain('secret_');
  });
});
