/** An authenticator app: knows a secret, shows the code of a moment. */
import { generate } from 'otplib/functional';
import { epochSeconds } from '../../src/kernel/clock.ts';

/** @param offset seconds from now. */
export const codeOf = (secret: string, offset = 0): Promise<string> =>
  generate({ secret, epoch: epochSeconds() + offset });
