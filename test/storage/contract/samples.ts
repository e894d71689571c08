/** Records as the rooms would write them; a test names only what it is about. */
import { randomBytes } from 'node:crypto';
import type { Account } from '../../../src/accounts/account.ts';
import type { Client } from '../../../src/clients/client.ts';
import type { Consent } from '../../../src/consents/consent.ts';
import type { AccountFactors } from '../../../src/factors/store.ts';
import type { Passkey } from '../../../src/factors/passkey.ts';
import type { Identity } from '../../../src/federation/identity.ts';
import { epochSeconds } from '../../../src/kernel/clock.ts';
import { newId } from '../../../src/kernel/ids.ts';
import type { KeySetFetch } from '../../../src/keys/store.ts';
import type { Delivery, SessionApp } from '../../../src/logout/store.ts';
import type { QueuedMail } from '../../../src/mail/store.ts';
import type { ProtocolRecord } from '../../../src/protocol/store.ts';

const NOW = '2026-01-02T03:04:05.678Z';

export function anAccount(overrides: Partial<Account> = {}): Account {
  const id = newId();
  const email = `${id}@Example.com`;
  return {
    id,
    email,
    email_normalized: email.toLowerCase(),
    email_verified: false,
    name: 'Ada Lovelace',
    picture: null,
    claims: {},
    roles: [],
    state: 'active',
    password_hash: '$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA',
    created_at: NOW,
    updated_at: NOW,
    last_sign_in_at: null,
    version: 1,
    ...overrides,
  };
}

export function aClient(overrides: Partial<Client> = {}): Client {
  return {
    id: newId('app_'),
    type: 'web',
    client_name: 'Shop',
    redirect_uris: ['https://shop.example/callback'],
    post_logout_redirect_uris: [],
    scope: null,
    first_party: false,
    default_resource: null,
    resource: null,
    always_issue_refresh_token: false,
    client_uri: null,
    logo_uri: null,
    policy_uri: null,
    tos_uri: null,
    initiate_login_uri: null,
    id_token_signed_response_alg: 'RS256',
    secret_hash: 'sha256:abc',
    created_at: NOW,
    updated_at: NOW,
    version: 1,
    ...overrides,
  };
}

export function aConsent(overrides: Partial<Consent> = {}): Consent {
  return {
    account_id: newId(),
    client_id: newId('app_'),
    scopes: ['openid', 'email'],
    declined: ['phone'],
    resources: {},
    created_at: NOW,
    updated_at: NOW,
    ...overrides,
  };
}

export function anIdentity(overrides: Partial<Identity> = {}): Identity {
  return {
    provider: 'google',
    issuer: 'https://accounts.google.com',
    subject: newId(),
    account_id: newId('usr_'),
    email: 'ada@example.com',
    created_at: NOW,
    last_used_at: NOW,
    ...overrides,
  };
}

/** All there can be, of nobody in particular, not stored yet. */
export function someFactors(overrides: Partial<AccountFactors> = {}): AccountFactors {
  return {
    account_id: newId('usr_'),
    totp: { sealed: 'c2VhbGVk', created_at: NOW, last_used_at: null, last_step: 59_842_470 },
    recovery_codes: { hashes: ['one', 'two'], created_at: NOW },
    devices: [
      {
        id: newId(),
        mark_hash: 'hash',
        name: 'Firefox',
        created_at: NOW,
        last_used_at: NOW,
        expires_at: 2_000_000_000,
      },
    ],
    asked_at: NOW,
    version: 0,
    ...overrides,
  };
}

export function aPasskey(overrides: Partial<Passkey> = {}): Passkey {
  return {
    credential_id: newId(),
    account_id: newId('usr_'),
    public_key: randomBytes(77).toString('base64url'),
    counter: 0,
    transports: ['internal', 'hybrid'],
    synced: true,
    backed_up: true,
    aaguid: 'ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4',
    name: 'Google Password Manager',
    created_at: NOW,
    last_used_at: null,
    ...overrides,
  };
}

export function aFetch(overrides: Partial<KeySetFetch> = {}): KeySetFetch {
  return { address: '203.0.113.7', user_agent: newId(), first_at: 1000, last_at: 1000, fetches: 1, ...overrides };
}

/** Valid for an hour, descending from nothing. */
export function aRecord(overrides: Partial<ProtocolRecord> = {}): ProtocolRecord {
  return {
    key: newId(),
    kind: 'AuthorizationCode',
    sealed: randomBytes(200),
    expires_at: epochSeconds() + 3600,
    consumed_at: null,
    grant_key: null,
    uid_key: null,
    user_code_key: null,
    account_key: null,
    session_key: null,
    ...overrides,
  };
}

/** Due at once, never tried. */
export function aMail(overrides: Partial<QueuedMail> = {}): QueuedMail {
  const now = epochSeconds();
  return {
    id: newId(),
    template: 'verify-email',
    state: 'waiting',
    sealed: randomBytes(200),
    created_at: NOW,
    due_at: now,
    give_up_at: now + 3600,
    attempts: 0,
    problem: null,
    settled_at: null,
    ...overrides,
  };
}

/** A grant descends from itself. */
export function aGrant(overrides: Partial<ProtocolRecord> = {}): ProtocolRecord {
  const key = newId();
  return aRecord({ key, kind: 'Grant', grant_key: key, account_key: newId(), session_key: newId(), ...overrides });
}

export function aSessionApp(overrides: Partial<SessionApp> = {}): SessionApp {
  return {
    session_key: newId(),
    app_key: newId(),
    account_key: newId(),
    offline: false,
    ended: false,
    sealed: randomBytes(40),
    expires_at: epochSeconds() + 1000,
    ...overrides,
  };
}

export function aDelivery(overrides: Partial<Delivery> = {}): Delivery {
  return {
    id: newId(),
    logout_id: newId(),
    client_id: newId('app_'),
    cause: 'log_out',
    state: 'waiting',
    sealed: randomBytes(40),
    created_at: NOW,
    due_at: epochSeconds(),
    give_up_at: epochSeconds() + 1000,
    attempts: 0,
    refusals: 0,
    problem: null,
    settled_at: null,
    ...overrides,
  };
}
