/** The parts of the schema that switch extensions of OAuth 2.0 and OpenID Connect on, or ask for more of every client. */
import { z } from 'zod';

const oauth = z.strictObject({
  require_pushed_authorization_requests: z.boolean().default(false).meta({
    description: 'Every client pushes its authorization requests (RFC 9126). One client: `--require-par`.',
  }),
  require_signed_request_object: z.boolean().default(false).meta({
    description:
      'Every client signs its authorization requests (RFC 9101). One client: `--require-signed-request-object`.',
  }),
  dpop_nonce: z.boolean().default(false).meta({
    description: 'DPoP proofs must carry a nonce of ours (RFC 9449, section 8), so that none can be made in advance.',
  }),
});

export const protocolSchema = {
  oauth: oauth.prefault({}),
};
