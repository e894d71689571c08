/** The device grant (RFC 8628): a code shown on one device is typed on another, where a person signs in. */
import type { IncomingMessage } from 'node:http';
import { Provider as Library } from 'oidc-provider';
import type { Client, Configuration, KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { Config } from '../../config/schema.ts';
import type { Limits } from '../../limits/limits.ts';

/** What the person sees of where the code was asked for. */
export interface DeviceInfo {
  address: string;
}

/** Drawn by a web room; the forms go to `action` with the hidden field `xsrf`. */
export interface DevicePages {
  /** @param error why the code was not taken; undefined at first. */
  enterCode(ctx: KoaContextWithOIDC, form: DeviceForm, error: Error | undefined): Promise<void>;
  confirm(ctx: KoaContextWithOIDC, form: DeviceForm, client: Client, info: DeviceInfo): Promise<void>;
  connected(ctx: KoaContextWithOIDC, client: Client): Promise<void>;
}

export interface DeviceForm {
  action: string;
  xsrf: string;
  /** As the device shows it; undefined where it is still to be typed. */
  user_code: string | undefined;
}

interface Needs {
  config: Pick<Config, 'device_flow'>;
  devicePages: DevicePages;
  clientAddress: (req: IncomingMessage) => string;
}

const PREFILLED = Symbol('prefilled');
type Visit = KoaContextWithOIDC & { [PREFILLED]?: string };
const LONGEST_CODE = 40;

const formOf = (ctx: KoaContextWithOIDC, user_code: string | undefined): DeviceForm => ({
  action: ctx.oidc.urlFor('code_verification'),
  xsrf: (ctx.oidc.session as unknown as { state: { secret: string } }).state.secret,
  user_code,
});

export const deviceFeatures = ({ config, devicePages, clientAddress }: Needs) =>
  ({
    deviceFlow: {
      enabled: config.device_flow.enabled,
      // Consonants alone: none looks like a digit, and they spell nothing.
      charset: 'base-20',
      mask: '****-****',
      deviceInfo: (ctx) => ({ address: clientAddress(ctx.req) }),
      userCodeInputSource: (ctx, _form, _out, error) =>
        devicePages.enterCode(
          ctx,
          formOf(ctx, (error as { userCode?: string } | undefined)?.userCode ?? (ctx as Visit)[PREFILLED]),
          error,
        ),
      userCodeConfirmSource: (ctx, _form, client, info, userCode) =>
        devicePages.confirm(ctx, formOf(ctx, userCode), client, info as unknown as DeviceInfo),
      successSource: (ctx) => devicePages.connected(ctx, ctx.oidc.client!),
    },
  }) satisfies Configuration['features'];

const isPath = (path: string, expected: string) => path.replace(/\/$/, '').toLowerCase() === expected;

/**
 * The address with the code in it (RFC 8628, section 3.3.1) shows the form filled in, where the library would send it by script: a person
 * compares the code and goes on themselves.
 */
export function fillInCode(provider: Provider) {
  const path = provider.pathFor('code_verification', { mountPath: '' });
  return async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    if (ctx.method === 'GET' && isPath(ctx.path, path) && ctx.querystring !== '') {
      const code = ctx.query['user_code'];
      if (typeof code === 'string' && code.length <= LONGEST_CODE) (ctx as Visit)[PREFILLED] = code;
      ctx.querystring = '';
    }
    await next();
  };
}

interface GuardNeeds {
  limits: Pick<Limits, 'guess' | 'spend'>;
  clientAddress: (req: IncomingMessage) => string;
}

interface DeviceCodes {
  findByUserCode(userCode: string, options?: object): Promise<object | undefined>;
  prototype: { exp?: number; save(ttl?: number): Promise<string> };
}

/**
 * Typed codes are counted before they are looked up, and given back where they exist (RFC 8628, section 5.1). Anybody may ask for a code,
 * and each is kept, so that is counted too.
 */
export function guardUserCodes(provider: Provider, { limits, clientAddress }: GuardNeeds): void {
  const { DeviceCode } = provider as unknown as { DeviceCode: DeviceCodes };
  const address = () => (Library.ctx ? clientAddress(Library.ctx.req) : 'unknown');
  const find = DeviceCode.findByUserCode.bind(DeviceCode);
  DeviceCode.findByUserCode = (userCode, options) =>
    limits.guess('code', { address: address() }, () => find(userCode, options));

  const { save } = DeviceCode.prototype;
  DeviceCode.prototype.save = async function saveCounted(ttl) {
    if (this.exp === undefined) await limits.spend('authorization', { address: address() });
    return save.call(this, ttl);
  };
}
