/** What makes one place of another: where it is, as which app it signs people in, who may come and how it speaks. */
import { issuerPath } from '../kernel/urls.ts';
import type { Visit } from './visit.ts';

export interface Place {
  /** Below the issuer's path, such as `/account`. */
  path: string;
  /** Id of the app that it is. */
  client: string;
  /** What people are told that they sign in to, as it is set now. */
  readonly client_name: string;
  /** Name of its session's cookie, and of what its browsers keep of requests under way. */
  cookie: string;
  /** Kind of its sessions' records. */
  kind: string;
  /** Folder of its templates. */
  views: string;
  /** Catalogue keys. */
  words: {
    title(view: string): string;
    /** Of a section, and of `label`, `menu`, `sign_out` and `group.<group>`. */
    nav(what: string): string;
    outside(reason: string): string;
  };
  /** Groups of its navigation, in order. */
  groups: readonly string[];
  /** The pages that say why nobody is signed in, below the place: beside `signed-out`. */
  outside: readonly string[];
  /** Speaks against a person who is signed in: they get this view, with status 403. */
  refusal?(visit: Visit): string | undefined;
  /** Whether the person comes to no page at all without a second factor. */
  demandsFactor?(visit: Visit): Promise<boolean>;
  /** Told of each visit that is let in. */
  admitted?(visit: Visit): void;
}

/** Where a place begins, as a path. */
export const homeOf = (issuer: string, { path }: Pick<Place, 'path'>): string => issuerPath(issuer) + path;
