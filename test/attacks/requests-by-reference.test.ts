/** Requests by reference as a way to have us fetch what nobody registered, or what is inside our network (RFC 9101, section 10.4). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import { clientKey, loopbackServer } from '../support/client-keys.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { relyingParty } from '../support/relying-party.ts';

describe('a request by reference', () => {
  let gatehouse: Running;
  let server: Awaited<ReturnType<typeof loopbackServer>>;
  beforeAll(async () => {
    gatehouse = await startGatehouse({ GATEHOUSE_OAUTH_REQUEST_URI: 'true' });
    server = await loopbackServer(() => ({ body: 'e30.e30.e30' }));
  });
  afterAll(async () => {
    await server.stop();
    await gatehouse.stop();
  });

  async function errorOf(request_uri: string, request_uris: string[]): Promise<string | null> {
    const { jwks } = await clientKey('ES256');
    const rp = await relyingParty(gatehouse, await gatehouse.app({ protocol: { jwks, request_uris } }));
    const { url } = await rp.request({ request_uri });
    return (await new Browser(gatehouse.issuer).open(url)).url.searchParams.get('error');
  }

  it.each([
    ['inside our network, though registered', '{inside}/r', ['{inside}/r']],
    ['that is not registered', '{inside}/other', ['https://app.example/r']],
    ['that is registered but for its end', 'https://app.example/r/../r2', ['https://app.example/r']],
    ['of the cloud', 'http://169.254.169.254/latest', ['https://app.example/r']],
    ['of a file', 'file:///etc/passwd', ['https://app.example/r']],
  ])('at an address %s is not fetched', async (_what, uri, registered) => {
    const there = (address: string) => address.replace('{inside}', server.origin);
    expect(await errorOf(there(uri), registered.map(there))).toBe('request_uri_not_supported');
    expect(server.asked).toEqual([]);
  });

  it('is registered by https alone', async () => {
    for (const uri of ['http://app.example/r', 'ftp://app.example/r', 'https://user@app.example/r'])
      await expect(gatehouse.app({ protocol: { request_uris: [uri] } })).rejects.toMatchObject({
        field: 'request_uris',
      });
  });
});
