/** How much is too much: the `limits` section. */
import { z } from 'zod';
import { seconds } from './values.ts';

const whole = (fallback: number, text: string) =>
  z.int().min(1).max(100_000).default(fallback).meta({ description: text });
const perHour = 'within `limits.window`';

export const limits = z.strictObject({
  enabled: z
    .boolean()
    .default(true)
    .meta({ description: 'Limit guessing and flooding. Turning it off is said in the log at each start.' }),
  window: seconds(3600, 'How long a wrong try, or a request, counts.'),
  lock_seconds: z.array(z.coerce.number().int().min(1).max(86_400)).min(1).default([60, 300, 900, 3600]).meta({
    description: 'Lengths of the first, second, … lock-out of a day; the last stands for all that follow. In seconds.',
  }),
  known_device: seconds(7_776_000, 'How long a browser counts as known for an account after its last sign-in.'),
  password: z
    .strictObject({
      account_and_address: whole(10, `Wrong passwords for one account from one address ${perHour}.`),
      account: whole(30, `Wrong passwords for one account, from all addresses that are not known devices, ${perHour}.`),
      address: whole(100, `Wrong passwords from one address, for all accounts, ${perHour}.`),
      device: whole(10, `Wrong passwords for one account from a device that signed in to it before, ${perHour}.`),
    })
    .prefault({}),
  code: z
    .strictObject({
      account_and_address: whole(10, `Wrong typed codes for one account from one address ${perHour}.`),
      account: whole(20, `Wrong typed codes for one account ${perHour}.`),
      address: whole(100, `Wrong typed codes from one address ${perHour}.`),
      device: whole(10, `Wrong typed codes from a known device ${perHour}.`),
    })
    .prefault({}),
  passkey: z
    .strictObject({
      account_and_address: whole(
        20,
        `Answers of passkeys that do not hold, for one account from one address ${perHour}.`,
      ),
      address: whole(100, `Answers of passkeys that do not hold, from one address ${perHour}.`),
      device: whole(20, `Answers of passkeys that do not hold, from a known device ${perHour}.`),
    })
    .prefault({}),
  link: z
    .strictObject({ address: whole(100, `Mailed links that do not exist, opened from one address ${perHour}.`) })
    .prefault({}),
  client: z
    .strictObject({
      client_and_address: whole(
        20,
        `Wrong secrets for one client from one address ${perHour}, at all endpoints together.`,
      ),
    })
    .prefault({}),
  callback: z
    .strictObject({
      address: whole(100, `Answers of upstream providers that belong to no sign-in, from one address ${perHour}.`),
    })
    .prefault({}),
  mail: z
    .strictObject({
      account: whole(
        5,
        `Mails that strangers may ask for to one address ${perHour}: resets, links and codes together.`,
      ),
      address: whole(50, `Mails that may be asked for from one address ${perHour}.`),
      device: whole(5, `Mails that a known device may ask for ${perHour}.`),
    })
    .prefault({}),
  approval: z
    .strictObject({
      client_and_account: whole(10, `Requests of one app that one person is asked to answer (CIBA) ${perHour}.`),
      account: whole(20, `Requests of all apps that one person is asked to answer (CIBA) ${perHour}.`),
    })
    .prefault({}),
  hint: z
    .strictObject({
      client_and_address: whole(20, `Hints of one app from one address that name nobody (CIBA) ${perHour}.`),
    })
    .prefault({}),
  registration: z
    .strictObject({ address: whole(20, `Apps that register themselves from one address ${perHour}.`) })
    .prefault({}),
  client_document: z
    .strictObject({
      address: whole(
        100,
        `Documents of apps without registration that are read for requests from one address ${perHour}.`,
      ),
    })
    .prefault({}),
  sign_up: z.strictObject({ address: whole(50, `Sign-ups sent from one address ${perHour}.`) }).prefault({}),
  admin_api: z
    .strictObject({
      client_and_address: whole(30_000, `Requests of one app from one address to the admin API ${perHour}.`),
    })
    .prefault({}),
  authorization: z
    .strictObject({ address: whole(3000, `Sign-ins begun and not finished from one address ${perHour}.`) })
    .prefault({}),
});
