/** The parts of the schema that switch extensions of OAuth 2.0 and OpenID Connect on, or ask for more of every client. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';

const RESPONSE_TYPES = [
  'code',
  'id_token',
  'id_token token',
  'code id_token',
  'code token',
  'code id_token token',
] as const;

const oauth = z.strictObject({
  require_pushed_authorization_requests: z.boolean().default(false).meta({
    description: 'Every client pushes its authorization requests (RFC 9126). One client: `--require-par`.',
  }),
  require_signed_request_object: z.boolean().default(false).meta({
    description:
      'Every client signs its authorization requests (RFC 9101). One client: `--require-signed-request-object`.',
  }),
  response_types: z
    .array(z.enum(RESPONSE_TYPES))
    .min(1)
    .refine((list) => new Set(list).size === list.length, 'names one twice')
    .default(['code'])
    .meta({
      description:
        'What apps may ask for: `code`; for conformance tests also `id_token`, `code id_token` and those with `token`, which put tokens into addresses. Production refuses all but `code`.',
    }),
  require_pkce: z.boolean().default(true).meta({
    description:
      'Every client uses PKCE. False spares clients with a secret or a key it, for conformance tests: production refuses it. Public clients and FAPI always use it.',
  }),
  request_uri: z.boolean().default(false).meta({
    description:
      'Signed requests may come by reference: an address among the `request_uris` of the client is fetched. For conformance tests; apps push their requests. Production refuses it.',
  }),
  dpop_nonce: z.boolean().default(false).meta({
    description: 'DPoP proofs must carry a nonce of ours (RFC 9449, section 8), so that none can be made in advance.',
  }),
});

const origin = z
  .string()
  .refine(
    (value) => URL.parse(value)?.origin === value && value.startsWith('https:'),
    'must be an https origin, such as https://mtls.example.com',
  );

const mtls = z.strictObject({
  enabled: z.boolean().default(false).meta({
    description: 'Clients may prove themselves by TLS certificates, and have tokens bound to them (RFC 8705).',
  }),
  certificate_header: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9-]*$/, 'must be the name of a header')
    .optional()
    .meta({
      description:
        'Header in which a proxy of `trusted_proxies` passes the certificate on: `Client-Cert` (RFC 9440), or one with percent-encoded PEM or base64. The proxy must remove it from what others send. Without it certificates come from our own TLS (`tls.*`).',
    }),
  certificate_authorities_file: z.string().min(1).optional().meta({
    description:
      'PEM file of the authorities whose certificates count for `tls_client_auth`. `self_signed_tls_client_auth` needs none.',
  }),
  origin: origin.optional().meta({
    description:
      'Other address of this server where certificates are asked for, named as `mtls_endpoint_aliases`, so that browsers at `issuer` are not asked.',
  }),
});

const tls = z.strictObject({
  certificate_file: z.string().min(1).optional().meta({
    description: 'PEM file with the certificate and its chain, to serve https without a proxy. Read at start.',
  }),
  key_file: z.string().min(1).optional().meta({ description: 'PEM file with the private key of it.' }),
});

const deviceFlow = z.strictObject({
  enabled: z.boolean().default(true).meta({
    description:
      'The device grant (RFC 8628), for clients that are registered with it: a code shown on one device is typed at `/device`.',
  }),
  code_lifetime: z.int().min(60).max(3600).default(600).meta({
    description: 'How long a person has to type the code and sign in. In seconds.',
  }),
});

const scopeList = z
  .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'must be a scope'))
  .min(1)
  .default(['openid', 'profile', 'email', 'offline_access']);
const redirectSchemes = z
  .array(z.enum(['https', 'loopback', 'app']))
  .min(1)
  .default(['https', 'loopback'])
  .meta({
    description:
      'Where people may come back to: `https`, `loopback` (http on their own machine), `app` (schemes such as `com.example.app:`).',
  });
const ciba = z.strictObject({
  enabled: z.boolean().default(false).meta({
    description:
      'Client-initiated backchannel authentication (CIBA), for clients that are registered with it: an app names a person, who answers on their account page. Needs `portal.enabled`.',
  }),
  request_lifetime: z.int().min(30).max(3600).default(300).meta({
    description: 'How long a person has to answer; an app may ask for less. In seconds.',
  }),
});

const registration = z.strictObject({
  mode: z.enum(['off', 'token', 'open']).default('off').meta({
    description:
      'Apps register themselves at `/register` (RFC 7591): `off`, `token` (who has a token by `registration-token create`), `open` (anybody).',
  }),
  grant_types: z
    .array(
      z.enum([
        'authorization_code',
        'refresh_token',
        'client_credentials',
        'implicit',
        'urn:ietf:params:oauth:grant-type:device_code',
        'urn:openid:params:grant-type:ciba',
      ]),
    )
    .min(1)
    .default(['authorization_code', 'refresh_token'])
    .meta({ description: 'Grant types that such apps may have.' }),
  scopes: scopeList.meta({
    description: 'Scopes that such apps may ask for, those of APIs included. Who names none gets all of these.',
  }),
  redirect_schemes: redirectSchemes,
  rotate_tokens: z.boolean().default(true).meta({
    description: 'An app that changes its record gets a new token for it, and the old one ends (RFC 7592).',
  }),
  unused_after: z.int().min(0).default(2_592_000).meta({
    description: 'Such apps are removed when they got no tokens for this long. 0: never. In seconds.',
  }),
});

const HOST = String.raw`(\*\.)?[a-z\d]([a-z\d-]*[a-z\d])?(\.[a-z\d]([a-z\d-]*[a-z\d])?)+`;
const clientAddresses = z
  .array(
    z
      .string()
      .regex(
        new RegExp(String.raw`^(${HOST}(:\d{1,5})?|https://\S+)$`),
        'must be a host, such as apps.example.com or *.example.com, or a whole https URL',
      ),
  )
  .default([]);

const clientDocuments = z.strictObject({
  mode: z.enum(['off', 'listed', 'open']).default('off').meta({
    description:
      'Apps and agents sign people in without registration, by an https URL as their `client_id`, at which a document describes them (OAuth Client ID Metadata Document): `off`, `listed` (those that `client_documents.allow` names), `open` (any). Each person is asked for consent, and sees the host of that URL as its name.',
  }),
  allow: clientAddresses.meta({
    description:
      'With `listed`: hosts (`apps.example.com`, `*.example.com` for all below it) and whole URLs of such apps.',
  }),
  deny: clientAddresses.meta({
    description:
      'Hosts (at every port, where none is named) and URLs that are refused in any mode. One at a time without a restart: `client-document deny`.',
  }),
  scopes: scopeList.meta({
    description: 'Scopes that such apps may ask for, those of APIs (and MCP servers) included.',
  }),
  redirect_schemes: redirectSchemes,
  most: z.int().min(1).max(1_000_000).default(1000).meta({
    description: 'How many such apps are kept; one is kept once a person allowed it. Past it only known ones go on.',
  }),
  unused_after: z.int().min(0).default(2_592_000).meta({
    description:
      'Such apps are forgotten, with what people allowed them, when they got no tokens for this long. 0: never. In seconds.',
  }),
});

export const protocolSchema = {
  client_documents: clientDocuments.prefault({}),
  registration: registration.prefault({}),
  device_flow: deviceFlow.prefault({}),
  ciba: ciba.prefault({}),
  oauth: oauth.prefault({}),
  mtls: mtls.prefault({}),
  tls: tls.prefault({}),
};

interface Loosened {
  oauth: z.output<typeof oauth>;
  registration: z.output<typeof registration>;
  client_documents: z.output<typeof clientDocuments>;
  outbound: { allow_private: boolean };
}

/** What is there for conformance tests, and must not meet real people. */
export function loosened({ oauth: rules, registration: registering, client_documents, outbound }: Loosened): string[] {
  const problems: string[] = [];
  const others = rules.response_types.filter((type) => type !== 'code');
  if (others.length > 0)
    problems.push(`oauth.response_types must be code alone: ${others[0]} puts tokens into addresses (RFC 9700, 2.1.2)`);
  if (!rules.require_pkce)
    problems.push('oauth.require_pkce must be true: without it stolen codes are good (RFC 9700, 2.1.1)');
  if (rules.request_uri)
    problems.push('oauth.request_uri must be false: apps push their requests (RFC 9126, section 1)');
  if (registering.mode === 'open' && outbound.allow_private)
    problems.push(
      'registration.mode is open, so outbound.allow_private must be false: strangers would reach this network',
    );
  if (client_documents.mode === 'open' && outbound.allow_private)
    problems.push(
      'client_documents.mode is open, so outbound.allow_private must be false: strangers would reach this network',
    );
  return problems;
}

/** What of CIBA needs what is switched off. */
export const cibaProblems = ({
  ciba: { enabled },
  portal,
}: {
  ciba: z.output<typeof ciba>;
  portal: { enabled: boolean };
}): string[] =>
  enabled && !portal.enabled ? ['ciba.enabled needs portal.enabled: people answer on their account page'] : [];

interface Parsed {
  mtls: z.output<typeof mtls>;
  tls: z.output<typeof tls>;
  trusted_proxies: string[];
}

function unreadable(key: string, file: string | undefined, read: (pem: string) => unknown): string[] {
  if (file === undefined) return [];
  try {
    read(readFileSync(file, 'utf8'));
    return [];
  } catch {
    return [`${key} names ${file}, which cannot be read as PEM`];
  }
}

/** What is wrong with the files and with what needs each other. */
export function tlsProblems({ mtls: mutual, tls: own, trusted_proxies }: Parsed): string[] {
  const problems = [
    ...unreadable('tls.certificate_file', own.certificate_file, (pem) => new X509Certificate(pem)),
    ...unreadable('tls.key_file', own.key_file, createPrivateKey),
    ...unreadable(
      'mtls.certificate_authorities_file',
      mutual.certificate_authorities_file,
      (pem) => new X509Certificate(pem),
    ),
  ];
  if ((own.certificate_file === undefined) !== (own.key_file === undefined))
    problems.push('tls.certificate_file and tls.key_file need each other');
  if (!mutual.enabled) return problems;
  if (mutual.certificate_header === undefined && own.certificate_file === undefined)
    problems.push('mtls.enabled needs mtls.certificate_header, or our own TLS by tls.certificate_file');
  if (mutual.certificate_header !== undefined && trusted_proxies.length === 0)
    problems.push('mtls.certificate_header is believed from trusted_proxies only, and none is set');
  return problems;
}
