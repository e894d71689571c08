/**
 * Opaque access tokens carry themselves, sealed: nobody but us can read or make one, and issuing one writes nothing. What ends
 * them before their time is looked up when they are used: their grant, which the library asks for, and, as with JWTs, a mark
 * that lasts as long as the token would have.
 */
import type { Provider } from 'oidc-provider';
import { epochSeconds } from '../kernel/clock.ts';
import type { Vault } from '../kernel/secrets.ts';
import type { SealedRecords } from '../protocol/sealed-records.ts';

const CONTEXT = 'access token';
const REVOKED = 'RevokedToken';

interface Token {
  format?: string;
  jti: string;
  exp: number;
  kind: string;
}

interface TokenModel {
  new (payload: object): Token;
  readonly name: string;
  prototype: {
    getValueAndPayload(): Promise<{ value: string; payload?: Record<string, unknown> }>;
    destroy(): Promise<void>;
  };
  find(value: string, options?: object): Promise<object | undefined>;
}

/** Not JWTs: they are issued without being stored already. */
function sealTokens(model: TokenModel, { vault, records }: { vault: Vault; records: SealedRecords }): void {
  const { getValueAndPayload } = model.prototype;
  model.prototype.getValueAndPayload = async function sealed(this: Token) {
    const issued = await getValueAndPayload.call(this);
    if (this.format !== 'opaque') return issued;
    return { value: vault.seal(JSON.stringify(issued.payload), CONTEXT).toString('base64url') };
  };
  model.prototype.destroy = function revoke(this: Token) {
    return records.upsert(REVOKED, this.jti, {}, Math.max(1, this.exp - epochSeconds()));
  };
  model.find = async (value) => {
    let payload: Token;
    try {
      payload = JSON.parse(vault.open(Buffer.from(value, 'base64url'), CONTEXT)) as Token;
    } catch {
      return undefined; // not one of ours
    }
    if (payload.kind !== model.name || payload.exp <= epochSeconds()) return undefined;
    return (await records.find(REVOKED, payload.jti)) ? undefined : new model(payload);
  };
}

export function sealAccessTokens(provider: Provider, needs: { vault: Vault; records: SealedRecords }): void {
  for (const model of [provider.AccessToken, provider.ClientCredentials]) sealTokens(model as never, needs);
}
