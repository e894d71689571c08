/** Where the program stands: its public address, what it listens on, who is in front of it, where its data and secrets lie. */
import { z } from 'zod';
import { createNetworks } from '../kernel/addresses.ts';
import { httpUrl } from './values.ts';

function isNetwork(entry: string): boolean {
  try {
    createNetworks([entry]);
    return true;
  } catch {
    return false;
  }
}

export const standing = {
  issuer: httpUrl
    .refine((value) => !/[?#]/.test(value), 'must have neither query nor fragment')
    .optional()
    .meta({
      description:
        'Public address of this provider, the `iss` of every token. May have a path. Default outside production: `http://localhost:<port>`.',
    }),
  port: z.int().min(0).max(65_535).default(3000).meta({ description: 'Port to listen on; 0 picks a free one.' }),
  host: z.string().min(1).default('127.0.0.1').meta({ description: 'Address to listen on; `0.0.0.0` for all.' }),
  trusted_proxies: z
    .array(z.string().refine(isNetwork, 'must be an address, a network like 10.0.0.0/8, loopback or private'))
    .default([])
    .meta({
      description:
        'Proxies in front whose `X-Forwarded-For` is believed: addresses, networks like `10.0.0.0/8`, `loopback`, `private`. Behind a proxy that is missing here, all people count as one address.',
    }),
  data_dir: z
    .string()
    .min(1)
    .default('./data')
    .meta({ description: 'Folder for the SQLite file, generated secrets and the compile cache.' }),
  storage: z
    .strictObject({
      url: z
        .string()
        .regex(/^(sqlite:.+|mongodb(\+srv)?:\/\/.+)$/, 'must be sqlite:<file>, sqlite::memory: or mongodb://…')
        .optional()
        .meta({
          secret: true,
          description:
            'Where data lives: `sqlite:<file>`, `sqlite::memory:` or `mongodb://…`. Default: `sqlite:<data_dir>/gatehouse.db`.',
        }),
    })
    .prefault({}),
  secrets: z
    .strictObject({
      encryption_key: z.string().optional().meta({
        secret: true,
        description:
          'At least 32 random bytes in base64 or hex; encrypts what is stored. To replace it, several separated by commas: the first encrypts, all decrypt. Generated into `data_dir` outside production.',
      }),
      cookie_keys: z.array(z.string()).optional().meta({
        secret: true,
        description:
          'Keys that sign cookies; the first signs, the others still verify. Generated into `data_dir` outside production.',
      }),
    })
    .prefault({}),
};
