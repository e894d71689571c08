/**
 * Writes what full logins leave in the store, through the storage layer and sealed as the server does it: session, grant,
 * used code, refresh token, and what its two interactions leave behind (access tokens are not stored). A child process of the
 * run, so that its memory is not the server's. Argument: how many logins.
 */
import { assembleBackstage } from '../src/assemble-backstage.ts';
import { loadConfig } from '../src/config/load.ts';
import { newId, newSecret } from '../src/kernel/ids.ts';
import type { SealedRecords } from '../src/protocol/sealed-records.ts';
import { LOGIN_SCOPE, REDIRECT_URI } from './fixture.ts';

const AT_ONCE = 500;
const DAY = 86_400;

async function oneLogin(records: SealedRecords): Promise<void> {
  const [accountId, clientId, grantId, uid, code] = [
    newId('usr_'),
    newId('app_'),
    newSecret(),
    newSecret(),
    newSecret(),
  ];
  const iat = Math.floor(Date.now() / 1000);
  const token = {
    iat,
    exp: iat + DAY,
    accountId,
    clientId,
    grantId,
    scope: LOGIN_SCOPE,
    gty: 'authorization_code',
    sid: newId(),
  };
  const params = {
    client_id: clientId,
    redirect_uri: REDIRECT_URI,
    response_type: 'code',
    scope: LOGIN_SCOPE,
    state: newId(),
    nonce: newId(),
    code_challenge: newSecret(),
    code_challenge_method: 'S256',
    prompt: 'consent',
  };
  const restart = { cid: newId(), clientId, query: new URLSearchParams(params).toString() };
  await Promise.all([
    records.upsert(
      'Session',
      newSecret(),
      {
        iat,
        exp: iat + DAY,
        kind: 'Session',
        accountId,
        uid,
        loginTs: iat,
        amr: ['pwd'],
        authorizations: { [clientId]: { sid: newId(), grantId } },
      },
      DAY,
    ),
    records.upsert(
      'Grant',
      grantId,
      { iat, kind: 'Grant', jti: grantId, accountId, clientId, openid: { scope: LOGIN_SCOPE } },
      30 * DAY,
    ),
    records.upsert(
      'AuthorizationCode',
      code,
      {
        ...token,
        kind: 'AuthorizationCode',
        jti: code,
        codeChallenge: params.code_challenge,
        nonce: params.nonce,
        redirectUri: REDIRECT_URI,
      },
      DAY,
    ),
    records.upsert(
      'RefreshToken',
      newSecret(),
      { ...token, kind: 'RefreshToken', nonce: params.nonce, rotations: 0, iiat: iat },
      7 * DAY,
    ),
    records.upsert('Restart', newSecret(), restart, DAY),
    records.upsert('Restart', newSecret(), restart, DAY),
    records.upsert('FinishedAuthorization', restart.cid, {}, DAY),
  ]);
}

const { storage, records, close } = await assembleBackstage(loadConfig());
for (let left = Number(process.argv[2]); left > 0; left -= AT_ONCE)
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, left) }, () => oneLogin(records)));
await close();
process.stdout.write(`written to ${storage.description}\n`);
