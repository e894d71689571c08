/** How people become known and prove who they are. */
import { z } from 'zod';

export const signingIn = {
  sign_up: z
    .strictObject({
      enabled: z.boolean().default(true).meta({ description: 'People may create their own account.' }),
      verify_email: z.enum(['before_first_use', 'later']).optional().meta({
        description:
          '`before_first_use`: no account exists before its e-mail is proved, and nobody learns who has one. `later`: it may be used at once, which tells whether an e-mail is taken. Default: `before_first_use` where `mail.smtp_url` is set.',
      }),
    })
    .prefault({}),
  sign_in: z
    .strictObject({
      mailed: z
        .boolean()
        .default(false)
        .meta({ description: 'People may sign in by a mailed link or code in place of their password.' }),
    })
    .prefault({}),
  passkeys: z
    .strictObject({
      enabled: z.boolean().default(true).meta({
        description:
          'People may sign in with passkeys. They belong to the host of `issuer`; where that is an address and no name there are none.',
      }),
      offer: z.boolean().default(true).meta({
        description:
          'After a sign-in without one, on a device that can make one, ask once whether the person wants a passkey.',
      }),
    })
    .prefault({}),
};

export const factors = z.strictObject({
  policy: z.enum(['off', 'optional', 'required']).default('optional').meta({
    description:
      'Second factors: `off` (not offered, not asked for), `optional` (who has one is asked for it), `required` (nobody signs in without).',
  }),
  required_roles: z
    .array(z.string().min(1))
    .default([])
    .meta({ description: 'Roles whose people need a second factor also where it is `optional`.' }),
  enrolment_grace: z.int().min(0).max(31_536_000).default(0).meta({
    description:
      'How long a person may say "not now" where the policy requires a second factor, from the first time they are asked. 0: not at all. In seconds.',
  }),
  mailed_code: z.boolean().default(false).meta({
    description:
      'A mailed code may stand in for a second factor. Whoever reads the mail can reset the password too: then one mailbox is all it takes.',
  }),
  remember_device: z.int().min(0).max(31_536_000).default(2_592_000).meta({
    description: 'How long a browser may be spared the second factor if its person ticks that. 0: never. In seconds.',
  }),
});
