/**
 * Visits: what pages of our own have in common whose visitors sign in through the provider like in any app. This room owns the way in,
 * the session of such pages and how their routes are built: who may come, what they must prove, forms that are ours, notices. What is
 * on the pages it leaves to `portal/` and `console/`.
 */
import type { Context } from 'koa';
import type { Account } from '../accounts/account.ts';
import type { Proof } from '../factors/levels.ts';
import type { PageModel, PageOptions } from '../http/render.ts';
import type { Notice, SignedIn } from './session.ts';

/** One request of a person who is signed in. */
export interface Visit {
  ctx: Context;
  account: Account;
  session: SignedIn;
  /** What the person has proved in this session. */
  proofs: Proof[];
}

export type Handler = (visit: Visit) => Promise<void>;

export interface Terms {
  /** The person has proved who they are in the last five minutes, or proves it now and comes back to `back`. */
  fresh?: boolean;
  /** Beside that, who has a second factor has proved it: a password alone neither adds nor removes one. */
  strong?: boolean;
  /** The page to come back to after proving it, `:name` standing for what it does in the form's path; of a GET its own address. */
  back?: string;
  /** Fields of a form that are still there when its person comes back from proving who they are. Never a password. */
  keep?: string[];
}

export interface ShowOptions {
  status?: number;
  /** Catalogue key of a title of its own, with its variables. */
  title?: PageOptions['title'];
}

/** What a section builds its pages with. Paths are below the place. */
export interface Desk {
  get(path: string, handler: Handler, terms?: Terms): void;
  /** A form: verified, before anything else, to be one of our own pages'. */
  post(path: string, handler: Handler, terms?: Terms): void;
  /** A form that may bring a file (`uploadedFile`), which is read when all the same is verified. Its fields stand before the file. */
  upload(path: string, handler: Handler, terms?: Terms): void;
  /** Draws `views/<place>/<view>.ejs`; its title is the place's for that view. */
  show(visit: Visit, view: string, page: PageModel, options?: ShowOptions): Promise<void>;
  /** Goes on to another page, which says what was done. */
  done(visit: Visit, path: string, notice: Notice['key'], variables?: Notice['variables']): void;
  /** Goes on to another origin: by a page, since no form may be redirected there. */
  away(visit: Visit, url: string): Promise<void>;
  /** Sends the person to prove enough for `acr`, and back to this very page. */
  prove(visit: Visit, acr: string): Promise<void>;
  /** Ends the visit with one of the pages outside. */
  leave(visit: Visit, reason: string): void;
  /** Notes that the person has just shown a second factor, by adding it: it is not asked for again at the next step. */
  showedFactor(visit: Visit): void;
  /** What was typed before the person had to prove who they are; given once. */
  draft(visit: Visit, path: string): Record<string, string>;
  /** The address of a path of ours. */
  url(path: string): string;
}

/** What stands in the address in the place of `:name`. */
export const parameterOf = ({ ctx }: Pick<Visit, 'ctx'>, name: string): string =>
  String((ctx as unknown as { params: Record<string, string | undefined> }).params[name] ?? '');

/** One of the routes, as far as others need to know of it. */
export interface VisitRoute {
  method: 'GET' | 'POST';
  /** Below the place, with `:name` for what varies. */
  path: string;
  /** Nobody gets there without a proof of the last five minutes. */
  fresh: boolean;
  /** Nor, having a second factor, without that. */
  strong: boolean;
}

export interface Section<Group extends string = string> {
  /** Names it in the navigation. */
  id: string;
  /** Where it stands in the navigation; none is the place's beginning. */
  group: Group | null;
  /** Its first page. */
  path: string;
  /** Whether it is not there at the moment: its pages do not exist then. */
  hidden?(): boolean;
  add(desk: Desk): void;
}
