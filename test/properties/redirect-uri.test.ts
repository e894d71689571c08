import fc from 'fast-check';
import { Provider } from 'oidc-provider';
import { describe, expect, it, vi } from 'vitest';
import { redirectUriProblem } from '../../src/clients/redirect-uri.ts';
import type { ClientType } from '../../src/clients/client.ts';
import { CLIENT_TYPES } from '../../src/clients/client.ts';

const ATTACKS = [
  'javascript:alert(1)',
  'JaVaScRiPt://app.example/%0aalert(1)',
  'data:text/html,<script>1</script>',
  'vbscript:x',
  'file:///etc/passwd',
  'blob:https://app.example/x',
  'about:blank',
  'filesystem:https://app.example/x',
  'view-source:https://app.example',
  'ws://app.example',
  'ftp://app.example/',
  'http://app.example/cb',
  'http://localhost.evil.example/',
  'http://127.0.0.1.evil.example/',
  'http://127.0.0.1@evil.example/',
  'http://localhost:80@evil.example/',
  'http://0.0.0.0/',
  'http://[::ffff:127.0.0.1]/',
  'https://app.example/#',
  'https://app.example/#x',
  'https://*.example/',
  'https://app.example/*',
  'https://user:pass@app.example/',
  'https://user@app.example/',
  'https://app.example/cb\r\nX: y',
  'https://app.example/cb\t',
  ' https://app.example/cb',
  'https://äpp.example/',
  'https://app.example/\u202e',
  '//app.example/cb',
  '/cb',
  'cb',
  '',
  'myapp:/cb',
  'urn:ietf:wg:oauth:2.0:oob',
  'com.example.app:/cb',
  'com.example.app://cb',
];

const scheme = fc.constantFrom(
  'https',
  'http',
  'HTTPS',
  'javascript',
  'data',
  'file',
  'com.example.app',
  'myapp',
  'ftp',
  'a.b',
  'intent',
);
const host = fc.oneof(
  fc.domain(),
  fc.constantFrom(
    'localhost',
    '127.0.0.1',
    '[::1]',
    'LOCALHOST',
    '127.1',
    '0x7f.1',
    'localhost.',
    'evil.example',
    '[::]',
  ),
  fc.ipV4(),
);
const uri = fc.oneof(
  fc
    .tuple(
      scheme,
      fc.constantFrom('://', ':/', ':', ':\\\\', ':///', '://@', '://u@', '://u:p@'),
      host,
      fc.constantFrom('', ':80', ':0', ':99999'),
      fc.webPath(),
      fc.constantFrom('', '?a=b', '#', '#x', '?*', '\\x'),
    )
    .map((parts) => parts.join('')),
  fc.webUrl({ withFragments: true, withQueryParameters: true }),
  fc.string(),
  fc.constantFrom(...ATTACKS),
);
const type = fc.constantFrom<ClientType>(...CLIENT_TYPES);

/** What RFC 3986 says the parts are: programs do not all read URIs as browsers do. */
const PARTS = /^([a-z][a-z0-9+.-]*):(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?$/i;

/** Holds for each accepted URI of the generated ones. */
const ofAccepted = (holds: (uri: string, url: URL, type: ClientType) => void) =>
  fc.assert(
    fc.property(uri, type, (text, of) => {
      if (redirectUriProblem(text, of) === undefined) holds(text, new URL(text), of);
    }),
    { numRuns: 3000, examples: ATTACKS.flatMap((text) => CLIENT_TYPES.map((of): [string, ClientType] => [text, of])) },
  );

describe('every accepted redirect URI', () => {
  it('is https, http to this very machine, or of a native app and its own scheme', () => {
    ofAccepted((_text, url, of) => {
      if (url.protocol === 'https:') return;
      if (url.protocol === 'http:') expect(['localhost', '127.0.0.1', '[::1]']).toContain(url.hostname);
      else {
        expect(of).toBe('native');
        expect(url.protocol).toContain('.');
      }
    });
  });

  it('has no fragment, no user name and no wildcard', () => {
    ofAccepted((text, url) => {
      expect(text).not.toMatch(/[#*]/);
      expect([url.username, url.password, url.hash]).toEqual(['', '', '']);
    });
  });

  it('is plain text that a header can carry', () => {
    ofAccepted((text) => expect(text).toMatch(/^[\x21-\x7e]+$/));
  });

  it('means the same host to a browser and to RFC 3986', () => {
    ofAccepted((text, url) => {
      const [, , authority] = PARTS.exec(text) ?? [];
      if (url.protocol === 'https:' || url.protocol === 'http:')
        expect((authority ?? '').replace(/:\d*$/, '').toLowerCase()).toBe(url.hostname);
    });
  });

  it('of a scheme of its own has the name of a domain, reversed', () => {
    expect(redirectUriProblem('a.:/x', 'native')).toBeDefined();
    expect(redirectUriProblem('a..b:/x', 'native')).toBeDefined();
    expect(redirectUriProblem('1.2:/x', 'native')).toBeDefined();
  });

  it('is one that the provider accepts too', async () => {
    vi.spyOn(console, 'info').mockImplementation(() => undefined);
    vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    const provider = new Provider('http://localhost', {});
    const accepts = async (text: string, of: ClientType) => {
      const { Client } = provider as unknown as { Client: { validate(metadata: object): Promise<void> } };
      await Client.validate({
        client_id: 'x',
        redirect_uris: [text],
        application_type: of === 'native' ? 'native' : 'web',
        token_endpoint_auth_method: 'none',
      });
    };
    await fc.assert(
      fc.asyncProperty(uri, fc.constantFrom<ClientType>('web', 'native'), async (text, of) => {
        if (redirectUriProblem(text, of) === undefined) await accepts(text, of);
      }),
      { numRuns: 1500, examples: [['https://localhost/cb', 'native']] },
    );
  });

  it('and every refused one: never throws, says why in a few words', () => {
    fc.assert(
      fc.property(fc.oneof(uri, fc.string({ unit: 'binary' })), type, (text, of) => {
        const problem = redirectUriProblem(text, of);
        expect(problem === undefined || (problem.length > 5 && problem.length < 200)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
