/** What a new password must be, what it costs to hash, and who is asked about it: the `passwords` section. */
import { z } from 'zod';
import { httpUrl } from './values.ts';

export const passwords = z.strictObject({
  min_length: z.int().min(8, 'must be at least 8').max(64, 'must be at most 64').default(8).meta({
    description: 'Characters that a new password must have at least. Passwords that there are stay good.',
  }),
  breach_check: z.boolean().optional().meta({
    description:
      'Refuse new passwords that are known from a breach: asks `passwords.breach_check_url`. Default: where that is set.',
  }),
  memory_kib: z.int().min(8192).default(47_104).meta({ description: 'argon2id memory in KiB.' }),
  iterations: z.int().min(1).max(100).default(1).meta({ description: 'argon2id passes.' }),
  parallelism: z.int().min(1).max(16).default(1).meta({ description: 'argon2id lanes.' }),
  queue: z
    .int()
    .min(1)
    .default(256)
    .meta({ description: 'Sign-ins that may wait for a hash; more get 503 with Retry-After.' }),
  breach_check_url: httpUrl.optional().meta({
    description:
      "Range look-up of breached passwords, such as `https://api.pwnedpasswords.com/range`: gets the first five characters of a new password's SHA-1. Where `passwords.breach_check` is on without it, that very one.",
  }),
});
