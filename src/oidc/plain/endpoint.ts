/**
 * Token requests of which nothing is special, by far the most, answered without the library: it takes each request through two dozen
 * steps and models, most of them for what such a request does not have. They are answered here only when all is well. Whatever is
 * special, or not in order, goes to the library as it came, before anything was written.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Client, KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { JwtAccessTokens } from '../jwt-access-tokens.ts';
import type { ProviderNeeds } from '../provider-needs.ts';
import type { RefreshTokens } from '../refresh-tokens.ts';
import type { SealedAccessTokens } from '../sealed-access-tokens.ts';
import type { TokenClaims } from '../token-claims.ts';
import { createAccessTokens } from './access-tokens.ts';
import { createSend } from './answers.ts';
import type { PlainAnswer } from './answers.ts';
import { createApis } from './apis.ts';
import { CLIENT_CREDENTIALS, createClientCredentials } from './client-credentials.ts';
import { createPlainClients } from './clients.ts';
import { CODE, createCodeExchange } from './code.ts';
import { createIdTokens } from './id-tokens.ts';
import { createSignJwt } from './jwt.ts';
import { createPersonTokens } from './person-tokens.ts';
import { createRefresh, REFRESH } from './refresh.ts';
import { hasPlainHeaders, plainRequest } from './requests.ts';

/**
 * Answers a plain request. @returns whether it was one, or nobody waits for an answer any more; nothing was done with any other, and its
 * body is still to be read.
 */
export type AnswerPlainly = (req: IncomingMessage, res: ServerResponse) => Promise<boolean>;

type PlainNeeds = Pick<
  ProviderNeeds,
  'config' | 'liveKeys' | 'directory' | 'records' | 'accounts' | 'clientAddress' | 'clientGuard'
> & {
  provider: Provider;
  tokenClaims: TokenClaims;
  refreshTokens: RefreshTokens;
  jwtAccessTokens: JwtAccessTokens;
  sealedAccessTokens: SealedAccessTokens;
};

/** @param headers those of every answer. */
export function createPlainEndpoint(
  { provider, ...needs }: PlainNeeds,
  headers: [name: string, value: string][],
): AnswerPlainly {
  const { liveKeys } = needs;
  const signJwt = createSignJwt(liveKeys);
  const issued = {
    ...needs,
    apis: createApis(needs),
    accessTokens: createAccessTokens({ ...needs, signJwt }),
    issueIdToken: createIdTokens({ ...needs, signJwt }),
  };
  const personTokens = createPersonTokens(issued);
  const clients = createPlainClients({ ...needs, provider });
  const grants = new Map([
    [CLIENT_CREDENTIALS, createClientCredentials(issued)],
    [CODE, createCodeExchange({ ...needs, personTokens })],
    [REFRESH, createRefresh({ ...needs, personTokens })],
  ]);
  const send = createSend(headers);

  async function answerOf(req: IncomingMessage): Promise<[PlainAnswer, Client] | undefined> {
    const request = await plainRequest(req);
    const grant = request && grants.get(request.params['grant_type'] ?? '');
    const client = grant && (await clients.authenticate(request, req));
    const answer = client && (await grant(client, request.params));
    return answer && [answer, client];
  }

  /** Those who listen for the library's answers hear of ours. */
  function tell({ body, params, accountId }: PlainAnswer, client: Client, res: ServerResponse): void {
    const entities = accountId === undefined ? {} : { Account: { accountId } };
    const ctx = { res, body, oidc: { params, client, entities } } as unknown as KoaContextWithOIDC;
    provider.emit('grant.success', ctx);
  }

  return async (req, res) => {
    if (!hasPlainHeaders(req) || !liveKeys.fresh()) return false;
    // A turn later the body is there, which mostly comes with the head. What goes wrong, the library meets too, and says.
    const [answer, client] =
      (await Promise.resolve()
        .then(() => answerOf(req))
        .catch(() => undefined)) ?? [];
    // Whoever hung up has nothing more to be read, and waits for nothing.
    if (!answer || !client) return req.destroyed;
    tell(answer, client, res);
    send(res, answer);
    req.resume();
    return true;
  };
}
