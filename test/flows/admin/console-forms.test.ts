/** Forms of the console: what becomes of what was typed. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { OPERATOR } from '../../../src/administration/principal.ts';
import { anAdmin, openConsole } from '../../support/console.ts';
import { startGatehouse } from '../../support/gatehouse.ts';
import type { Running } from '../../support/gatehouse.ts';
import { backToNow, enterPassword, fieldValue, heading, passTime } from '../../support/journey.ts';
import { statusText } from '../../support/portal.ts';

let gatehouse: Running;
beforeAll(async () => {
  gatehouse = await startGatehouse({ GATEHOUSE_LIMITS_ENABLED: 'false' });
});
afterAll(() => gatehouse.stop());
afterEach(backToNow);

describe('a form that is sent when the last proof is too old', () => {
  it('is back after a fresh one with what was typed, says that nothing was saved, and saves by one button', async () => {
    const { admin: other, browser: theirs } = await anAdmin(gatehouse);
    const { client_id } = await gatehouse.app({ name: 'Kept', first_party: true });
    const page = await openConsole(theirs, other, `/apps/${client_id}/edit`);
    passTime(600);
    const asked = await theirs.submit(page, { name: 'Kept by me', first_party: undefined }, '/edit');
    expect(heading(asked)).toBe('Confirm it is you');
    const back = await enterPassword(theirs, asked, other);
    expect(statusText(back)).toContain('Nothing has been saved or done yet.');
    expect([fieldValue(back, 'name'), back.html.querySelector('#first_party')!.hasAttribute('checked')]).toEqual([
      'Kept by me',
      false,
    ]);
    const [form] = back.html.querySelectorAll('form').filter((one) => one.id === 'gh-form');
    expect(back.html.querySelector(`[role=status] button[type=submit][form=${form!.id}]`)!.text).toBe('Save');
    expect((await gatehouse.clients.get(client_id)).client_name).toBe('Kept');
    const saved = await theirs.submit(back, {}, '/edit');
    expect(statusText(saved)).toBe('Kept by me was saved.');
    expect(await gatehouse.clients.get(client_id)).toMatchObject({ client_name: 'Kept by me', first_party: false });
    const again = await openConsole(theirs, other, `/apps/${client_id}/edit`);
    expect(statusText(again)).toBe('');
  });

  it('that asks whether to do something says that it was not done', async () => {
    const { admin: other, browser: theirs } = await anAdmin(gatehouse);
    const { client_id } = await gatehouse.app({ name: 'Still There' });
    const path = `/apps/${client_id}/delete`;
    const page = await openConsole(theirs, other, path);
    passTime(600);
    const back = await enterPassword(theirs, await theirs.submit(page, {}, '/delete'), other);
    expect(heading(back)).toBe('Delete Still There?');
    expect(statusText(back)).toContain('Nothing has been saved or done yet.');
    expect(await gatehouse.clients.find(client_id)).toBeDefined();
    expect(statusText(await theirs.submit(back, {}, '/delete'))).toBe('Still There was deleted.');
  });

  it('is there again for whoever signs in again, as its session had ended, and for nobody else', async () => {
    for (const same of [true, false]) {
      const { admin: other, browser: theirs } = await anAdmin(gatehouse);
      const { client_id } = await gatehouse.app({ name: 'Half Typed' });
      const page = await openConsole(theirs, other, `/apps/${client_id}/edit`);
      await gatehouse.people.signOut(OPERATOR, other.sub);
      const asked = await theirs.submit(page, { name: 'Typed Half' }, '/edit');
      const somebody = same ? other : (await anAdmin(gatehouse)).admin;
      const back = await enterPassword(theirs, asked, somebody);
      expect([same, fieldValue(back, 'name'), statusText(back).includes('Nothing has been saved')]).toEqual(
        same ? [same, 'Typed Half', true] : [same, 'Half Typed', false],
      );
    }
  });
});
