/** How long to wait before trying again, in whole seconds, longer each time. */
import { backOff } from '../kernel/back-off.ts';

/** When the mail server does not work at all: it is asked about once a minute, by one mail. */
const SERVER = { first: 2, longest: 60 };
/** When it refused one mail for now; greylisting wants some minutes. */
const MAIL = { first: 30, longest: 3600 };

/** @param failures how often it failed so far, from 1. */
export const waitAfter = (failures: number, of: 'server' | 'mail'): number =>
  backOff(failures, of === 'server' ? SERVER : MAIL);
