/** A log-out token that waits over a rotation of keys is signed when it is sent, with the key of that moment. */
import { decodeProtectedHeader } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import { eventually } from '../support/eventually.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { backToNow, passTime } from '../support/journey.ts';
import { signInTo, startParty, toldTimes, verifyLogOutToken } from '../support/log-out-receiver.ts';
import type { Party } from '../support/log-out-receiver.ts';

describe('a log-out token', () => {
  let gatehouse: Running;
  let notes: Party;
  beforeEach(async () => {
    gatehouse = await startGatehouse({ GATEHOUSE_OUTBOUND_ALLOW_PRIVATE: 'true' });
    notes = await startParty(gatehouse, 'Notes', { id_token_signed_response_alg: 'ES256' });
  });
  afterEach(async () => {
    await notes.stop();
    await gatehouse.stop();
    backToNow();
  });

  it('that waits while the keys rotate is signed with the new one', async () => {
    const person = await gatehouse.person();
    await signInTo(notes, person, new Browser(gatehouse.issuer));
    const [next] = await gatehouse.keys.rotation.rotate(['ES256']);
    passTime(2);
    await gatehouse.liveKeys.refresh();
    passTime(86_400 - 60);
    await gatehouse.liveKeys.check();
    notes.status(503);
    await gatehouse.access.suspend(person.sub);
    await toldTimes(notes, 1);
    await eventually(async () =>
      expect((await gatehouse.storage.logout.list('waiting', {})).items).toMatchObject([{ problem: 'answered 503' }]),
    );
    passTime(70);
    await gatehouse.liveKeys.check();
    notes.status(200);
    passTime(120);
    await eventually(async () => expect((await gatehouse.storage.logout.list('waiting', {})).items).toEqual([]));
    expect(decodeProtectedHeader(notes.tokens[0]!).kid).not.toBe(next!.id);
    const last = notes.tokens.at(-1)!;
    expect(decodeProtectedHeader(last).kid).toBe(next!.id);
    await verifyLogOutToken(last, gatehouse.issuer, notes.app.client_id);
  });
});
